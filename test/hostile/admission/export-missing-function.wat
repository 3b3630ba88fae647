;; an export of a function that is not there
;; verdict: refused
(module
  (export "f" (func 99))
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
