;; a memory of 64-bit addresses
;; verdict: refused
;; flags: --enable-memory64
(module
  (memory (export "memory") i64 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
