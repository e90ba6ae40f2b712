;; Structures on a host's heap, which no memory limit bounds.
;; expect: refused proposal
(type $s (struct (field i64)))
(func (drop (struct.new $s (i64.const 1))))
