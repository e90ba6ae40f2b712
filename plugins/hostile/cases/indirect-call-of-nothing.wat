;; Calls an empty entry.
;; expect: trap signature
(type $t (func))
(table 1 funcref)
(func (export "call") (param i32 i32) (result i64) (call_indirect (type $t) (i32.const 0)) (unreachable))
