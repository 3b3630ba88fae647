;; a memory to share with threads
;; verdict: refused
;; flags: --enable-threads
(module
  (memory (export "memory") 1 1 shared)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
