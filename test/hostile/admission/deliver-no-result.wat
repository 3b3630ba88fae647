;; vat_deliver without a result
;; verdict: refused
(module
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32)))
