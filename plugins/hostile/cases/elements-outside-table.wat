;; An element segment past the end of the table: instantiation fails.
;; expect: trap table
(table 1 funcref)
(func $f)
(elem (i32.const 7) $f)
