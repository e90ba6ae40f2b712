;; An allocation that does not lie in memory.
;; expect: fault range
(func (export "alloc") (param i32) (result i32) (i32.const -64))
