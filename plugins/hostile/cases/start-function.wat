;; A start function would run before it is metered.
;; expect: refused start
(func $s (loop (br 0)))
(start $s)
