;; two memories
;; verdict: refused
;; flags: --enable-multi-memory
(module
  (memory (export "memory") 1)
  (memory 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
