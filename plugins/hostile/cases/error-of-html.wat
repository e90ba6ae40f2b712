;; An error message that is a script: it is shown as text.
;; expect: error <script>
(data (i32.const 1024) "<script>alert(1)</script>")
(func (export "call") (param i32 i32) (result i64) (i64.const 0x80000400_00000019))
