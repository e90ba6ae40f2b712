;; No memory at all.
;; expect: refused memory
;; without: memory data
