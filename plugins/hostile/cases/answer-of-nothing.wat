;; No bytes.
;; expect: fault frame
(func (export "call") (param i32 i32) (result i64) (i64.const 0))
