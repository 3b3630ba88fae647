;; a module under the name of the host's own hooks
;; verdict: refused
(module
  (import "\00vat" "yield" (func))
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
