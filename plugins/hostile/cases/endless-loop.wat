;; Never comes back.
;; expect: trap fuel
(func (export "call") (param i32 i32) (result i64) (loop (br 0)) (unreachable))
