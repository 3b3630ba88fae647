;; randomness by the name that scripts use
;; verdict: refused
(module
  (import "env" "seed" (func (result f64)))
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
