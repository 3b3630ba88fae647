;; a function that is not there
;; verdict: refused
(module
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (call 77)
    (i32.const 0)))
