;; A header that is not UTF-8.
;; expect: fault header
(data (i32.const 1024) "\02\00\00\00\00\00\00\00\18\00\00\00\03\00\00\00\20\00\00\00\00\00\00\00\7b\ff\7d     ")
(func (export "call") (param i32 i32) (result i64) (i64.const 0x00000400_00000020))
