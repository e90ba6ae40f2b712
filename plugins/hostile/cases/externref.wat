;; A host's references as values.
;; expect: refused types
(func (param externref))
