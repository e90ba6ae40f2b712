;; An error message that is not UTF-8, with an escape that would clear a terminal.
;; expect: error  no
(data (i32.const 1024) "\ff\1b[2J no")
(func (export "call") (param i32 i32) (result i64) (i64.const 0x80000400_00000008))
