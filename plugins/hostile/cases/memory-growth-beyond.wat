;; Asks for everything at once, is told no, and goes on.
;; expect: answer
(func (export "call") (param i32 i32) (result i64) (if (i32.ne (memory.grow (i32.const 65535)) (i32.const -1)) (then unreachable))
  (if (i32.ne (memory.grow (i32.const -1)) (i32.const -1)) (then unreachable))
  (i64.const {good}))
