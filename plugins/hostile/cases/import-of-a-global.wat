;; The host's own global of fuel.
;; expect: refused import
(import "spoor_abi_1" "spoor.fuel" (global (mut i64)))
