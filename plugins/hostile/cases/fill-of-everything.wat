;; Fills four thousand million bytes, which neither the fuel nor the memory has.
;; expect: trap fuel
(func (export "call") (param i32 i32) (result i64) (memory.fill (i32.const 0) (i32.const 1) (i32.const -1)) (unreachable))
