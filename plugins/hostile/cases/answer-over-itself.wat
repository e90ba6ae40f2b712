;; An answer whose table of segments claims that the tables are the header.
;; expect: fault frame
(data (i32.const 1024) "\02\00\00\00\00\00\00\00\18\00\00\00\02\00\00\00\18\00\00\00\02\00\00\00{}")
(func (export "call") (param i32 i32) (result i64) (i64.const 0x00000400_0000001a))
