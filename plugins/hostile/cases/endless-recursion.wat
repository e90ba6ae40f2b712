;; Calls itself without end.
;; expect: trap stack
(func $f (call $f))
(func (export "call") (param i32 i32) (result i64) (call $f) (unreachable))
