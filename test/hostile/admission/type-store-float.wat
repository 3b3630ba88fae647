;; a float stored as an integer
;; verdict: refused
(module
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (i32.store (i32.const 0) (f32.const 0))
    (i32.const 0)))
