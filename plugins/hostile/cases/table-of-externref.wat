;; A table of a host's references.
;; expect: refused tables
(table 1 externref)
