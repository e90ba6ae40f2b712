;; Two functions call each other without end, with many operands on the stack.
;; expect: trap stack
(func $f (param i64 i64 i64 i64) (result i64) (i64.add (local.get 0) (call $g (local.get 0) (local.get 1) (local.get 2) (local.get 3))))
(func $g (param i64 i64 i64 i64) (result i64) (i64.mul (local.get 1) (call $f (local.get 3) (local.get 2) (local.get 1) (local.get 0))))
(func (export "call") (param i32 i32) (result i64) (call $f (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4)))
