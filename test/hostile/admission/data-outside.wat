;; a data segment past the end of the memory
;; verdict: refused
(module
  (data (i32.const 65535) "ab")
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
