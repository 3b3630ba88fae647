;; an export of a global that is not there
;; verdict: refused
(module
  (export "g" (global 0))
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
