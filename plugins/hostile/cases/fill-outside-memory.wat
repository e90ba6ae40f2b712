;; Fills past the end of memory.
;; expect: trap memory
(func (export "call") (param i32 i32) (result i64) (memory.fill (i32.const 65536) (i32.const 1) (i32.const 1000000)) (i64.const {good}))
