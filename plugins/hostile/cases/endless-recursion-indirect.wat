;; Calls itself through the table without end.
;; expect: trap stack
(type $t (func))
(table funcref (elem $f))
(func $f (call_indirect (type $t) (i32.const 0)))
(func (export "call") (param i32 i32) (result i64) (call $f) (unreachable))
