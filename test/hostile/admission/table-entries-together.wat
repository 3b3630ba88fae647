;; two tables that are too large together
;; verdict: refused
(module
  (table 40000 funcref)
  (table 40000 funcref)
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
