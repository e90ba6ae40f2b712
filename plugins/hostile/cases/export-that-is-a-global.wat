;; An alloc that is no function.
;; expect: refused export
(global (export "alloc") i32 (i32.const 0))
