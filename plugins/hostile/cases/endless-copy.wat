;; Copies a megabyte again and again.
;; expect: trap fuel
(memory (export "memory") 17)
(func (export "call") (param i32 i32) (result i64) (loop (memory.copy (i32.const 8) (i32.const 0) (i32.const 1048576)) (br 0)) (unreachable))
