;; Reads past the end of memory.
;; expect: trap memory
(func (export "call") (param i32 i32) (result i64) (i64.load (i32.const -8)))
