;; one page more at birth than the limit
;; verdict: refused
(module
  (memory (export "memory") 257)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
