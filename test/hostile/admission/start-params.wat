;; a start function with a parameter
;; verdict: refused
(module
  (func $s (param i32))
  (start $s)
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
