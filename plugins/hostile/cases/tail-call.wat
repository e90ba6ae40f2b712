;; Tail calls: recursion that no stack bounds.
;; expect: refused proposal
(func $f (return_call $f))
