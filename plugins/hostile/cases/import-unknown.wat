;; An import that the ABI does not have.
;; expect: refused import
;; capabilities: log
(import "spoor_abi_1" "fetch" (func (param i32 i32)))
