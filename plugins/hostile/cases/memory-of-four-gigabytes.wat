;; Wants 4 GiB from the start.
;; expect: refused memory
(memory (export "memory") 65536)
