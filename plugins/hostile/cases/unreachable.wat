;; A panic.
;; expect: trap unreachable
(func (export "call") (param i32 i32) (result i64) (unreachable))
