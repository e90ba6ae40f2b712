;; A capability with more parameters than it has.
;; expect: refused import
;; capabilities: log
(import "spoor_abi_1" "log" (func (param i32 i32 i32)))
