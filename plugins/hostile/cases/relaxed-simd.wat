;; Relaxed SIMD: its results differ from machine to machine.
;; expect: refused proposal
(func (param v128) (result v128) (f32x4.relaxed_madd (local.get 0) (local.get 0) (local.get 0)))
