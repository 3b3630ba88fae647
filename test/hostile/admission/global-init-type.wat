;; a global of 32 bits that begins with 64
;; verdict: refused
(module
  (global i32 (i64.const 1))
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
