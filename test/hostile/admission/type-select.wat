;; a select of two types
;; verdict: refused
(module
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (drop (select (i32.const 0) (i64.const 0) (i32.const 1)))
    (i32.const 0)))
