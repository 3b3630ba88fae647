;; a function that the ABI does not have
;; verdict: refused
(module
  (import "vat_v1" "grant" (func (param i32)))
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
