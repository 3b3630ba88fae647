;; a local that is not there
;; verdict: refused
(module
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (drop (local.get 2))
    (i32.const 0)))
