;; table.set, which changes what no snapshot holds
;; verdict: refused
(module
  (table 2 funcref)
  (elem $e func $f)
  (func $f)
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (table.set 0 (i32.const 0) (ref.null func))
    (i32.const 0)))
