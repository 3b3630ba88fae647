;; a segment that is not there
;; verdict: refused
(module
  (data "a")
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (data.drop 3)
    (i32.const 0)))
