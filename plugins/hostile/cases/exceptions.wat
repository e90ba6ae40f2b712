;; Exceptions.
;; expect: refused proposal
(tag $e)
(func (throw $e))
