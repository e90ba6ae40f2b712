;; Divides by zero.
;; expect: trap division-by-zero
(func (export "call") (param i32 i32) (result i64) (i64.div_s (i64.const 1) (i64.extend_i32_s (i32.and (local.get 0) (i32.const 0)))))
