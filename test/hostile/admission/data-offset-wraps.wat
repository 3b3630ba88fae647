;; a data segment whose end wraps around
;; verdict: refused
(module
  (data (i32.const 0xffffffff) "ab")
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
