;; an element segment of a table that is not there
;; verdict: refused
(module
  (elem (table 0) (i32.const 0) func)
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
