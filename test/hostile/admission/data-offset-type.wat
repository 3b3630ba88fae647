;; a data segment at a place of 64 bits
;; verdict: refused
(module
  (data (i64.const 0) "ab")
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
