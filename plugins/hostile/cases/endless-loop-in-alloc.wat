;; The allocator never comes back.
;; expect: trap fuel
(func (export "alloc") (param i32) (result i32) (loop (br 0)) (unreachable))
