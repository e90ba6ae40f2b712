;; An allocation where the ABI's frames cannot lie.
;; expect: fault range
(func (export "alloc") (param i32) (result i32) (i32.const 513))
