;; A call with another type.
;; expect: refused export
(func (export "call") (param i64) (result i64) (i64.const {good}))
