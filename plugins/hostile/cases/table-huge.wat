;; A table of four thousand million entries.
;; expect: refused table-size
(table 4294967295 funcref)
