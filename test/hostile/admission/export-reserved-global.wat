;; a global under the name of a captured one
;; verdict: refused
(module
  (global (export "\00g0") (mut i32) (i32.const 0))
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
