;; The least number by minus one.
;; expect: trap overflow
(func (export "call") (param i32 i32) (result i64) (i64.div_s (i64.const -9223372036854775808) (i64.sub (i64.extend_i32_s (i32.and (local.get 0) (i32.const 0))) (i64.const 1))))
