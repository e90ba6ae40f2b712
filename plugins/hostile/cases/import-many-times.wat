;; The same import, many times.
;; expect: refused import
;; capabilities: time
(import "spoor_abi_1" "time" (func (result i64)))
(import "spoor_abi_1" "time" (func (result i64)))
(import "spoor_abi_1" "time" (func (result i64)))
(import "spoor_abi_1" "time" (func (result i64)))
(import "spoor_abi_1" "time" (func (result i64)))
(import "spoor_abi_1" "time" (func (result i64)))
(import "spoor_abi_1" "time" (func (result i64)))
(import "spoor_abi_1" "time" (func (result i64)))
(import "spoor_abi_1" "time" (func (result i64)))
