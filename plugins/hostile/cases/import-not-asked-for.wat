;; Code that uses what the manifest does not ask for.
;; expect: refused capability
(import "spoor_abi_1" "time" (func (result i64)))
