;; A data segment past the end of memory: instantiation fails.
;; expect: trap memory
(data (i32.const -4) "12345678")
