;; a value too many at the end
;; verdict: refused
(module
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (i32.const 7)
    (i32.const 0)))
