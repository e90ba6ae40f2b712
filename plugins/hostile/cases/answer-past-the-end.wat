;; An answer that ends after the memory does.
;; expect: fault range
(func (export "call") (param i32 i32) (result i64) (i64.const 0x0001fff8_00001000))
