;; An address and an offset whose sum wraps around.
;; expect: trap memory
(func (export "call") (param i32 i32) (result i64) (i64.store offset=4294967295 (i32.const 1024) (i64.const 1)) (i64.const {good}))
