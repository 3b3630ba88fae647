;; a second memory export, under the reserved name
;; verdict: refused
(module
  (export "\00memory" (memory 0))
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
