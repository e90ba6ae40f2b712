;; Grows a page at a time to the limit of 256 MiB, and then is told no.
;; expect: answer
;; fuel: 100000000
(func (export "call") (param i32 i32) (result i64) (loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
  (if (i32.gt_u (memory.size) (i32.const 4096)) (then unreachable))
  (i64.const {good}))
