;; Threads' instructions.
;; expect: refused proposal
(func (export "call") (param i32 i32) (result i64) (memory.atomic.notify (i32.const 0) (i32.const 0)) (i64.extend_i32_u))
