;; A table that grows as the module runs.
;; expect: refused instruction
(table $t 0 funcref)
(func $f)
(elem declare func $f)
(func (drop (table.grow $t (ref.func $f) (i32.const 1000000))))
