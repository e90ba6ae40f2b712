;; _initialize never comes back.
;; expect: trap fuel
(func (export "_initialize") (loop (br 0)))
