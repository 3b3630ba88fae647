;; a call with an argument of another type
;; verdict: refused
(module
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (drop (call 0 (i64.const 0)))
    (i32.const 0)))
