;; vat_deliver is exported twice
;; verdict: refused
(module
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 1))
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
