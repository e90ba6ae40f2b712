;; Pointer and length all ones, and the mark of an error.
;; expect: fault size
(func (export "call") (param i32 i32) (result i64) (i64.const -1))
