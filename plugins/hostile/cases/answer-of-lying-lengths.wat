;; A segment of four thousand million bytes.
;; expect: fault frame
(data (i32.const 1024) "\02\00\00\00\00\00\00\00\18\00\00\00\02\00\00\00\20\00\00\00\ff\ff\ff\ff{}      ")
(func (export "call") (param i32 i32) (result i64) (i64.const 0x00000400_00000020))
