;; a global that cannot change is set
;; verdict: refused
(module
  (global $a i32 (i32.const 1))
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (global.set $a (i32.const 2)) (i32.const 0)))
