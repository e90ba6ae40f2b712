;; A loop whose body is a branch that is always taken, by a table.
;; expect: trap fuel
(func (export "call") (param i32 i32) (result i64) (loop (br_table 0 0 0 (i32.const 7))) (unreachable))
