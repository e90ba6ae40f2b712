;; Threads' memory: what two instances share is a side channel and a clock.
;; expect: refused proposal
(memory (export "memory") 1 1 shared)
