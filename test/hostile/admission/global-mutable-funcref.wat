;; a mutable reference to a function
;; verdict: refused
(module
  (global (mut funcref) (ref.null func))
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
