;; No call.
;; expect: refused export
;; without: call
