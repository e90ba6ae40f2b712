;; A pointer just below 2 GiB.
;; expect: fault range
(func (export "call") (param i32 i32) (result i64) (i64.const 0x7ffffff8_00000100))
