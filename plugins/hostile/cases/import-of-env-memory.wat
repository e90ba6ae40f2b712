;; A memory from outside.
;; expect: refused import
;; without: memory data
(import "env" "memory" (memory 1))
(export "memory" (memory 0))
