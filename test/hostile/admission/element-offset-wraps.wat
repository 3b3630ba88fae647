;; an element segment whose end wraps around
;; verdict: refused
(module
  (table 2 funcref)
  (elem (i32.const 0xffffffff) $f)
  (func $f)
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
