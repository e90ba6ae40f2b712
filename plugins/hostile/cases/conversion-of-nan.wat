;; Makes an integer of what is not a number.
;; expect: trap conversion
(func (export "call") (param i32 i32) (result i64) (i64.trunc_f64_s (f64.div (f64.const 0) (f64.convert_i32_s (i32.and (local.get 0) (i32.const 0))))))
