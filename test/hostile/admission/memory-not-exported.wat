;; a memory that nobody else can reach
;; verdict: refused
(module
  (memory 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
