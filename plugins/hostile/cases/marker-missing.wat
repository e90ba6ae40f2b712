;; Made for no ABI.
;; expect: refused export
;; without: spoor_abi_1
