;; There is no room for the call.
;; expect: fault range
(func (export "alloc") (param i32) (result i32) (i32.const 0))
