;; A memory of 64-bit addresses.
;; expect: refused proposal
;; without: data
(memory (export "memory") i64 1)
