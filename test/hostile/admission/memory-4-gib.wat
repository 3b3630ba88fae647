;; 4 GiB at birth
;; verdict: refused
(module
  (memory (export "memory") 65536)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
