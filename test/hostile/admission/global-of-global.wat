;; a global that begins as another one
;; verdict: refused
(module
  (global $a i32 (i32.const 1))
  (global i32 (global.get $a))
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
