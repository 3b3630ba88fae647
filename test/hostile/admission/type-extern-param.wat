;; a parameter that is a host reference
;; verdict: refused
(module
  (func (param externref))
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
