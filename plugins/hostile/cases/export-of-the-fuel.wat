;; A global of the fuel's name, to be filled by the host and emptied by nobody.
;; expect: refused reserved-name
(global (export "spoor.fuel") (mut i64) (i64.const 0))
