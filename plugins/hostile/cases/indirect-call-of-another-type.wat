;; Calls a function as if it had another type.
;; expect: trap signature
(type $t (func (param i64) (result i64)))
(table funcref (elem $f))
(func $f)
(func (export "call") (param i32 i32) (result i64) (call_indirect (type $t) (i64.const 1) (i32.const 0)))
