;; Growth is paid for: what zeroing costs a host costs fuel.
;; expect: trap fuel
;; fuel: 1000000
(func (export "call") (param i32 i32) (result i64) (drop (memory.grow (i32.const 4000))) (i64.const {good}))
