;; Two memories.
;; expect: refused memory
(memory 1)
(memory (export "memory") 1)
