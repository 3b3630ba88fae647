;; an addition of 32 bits to 64
;; verdict: refused
(module
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (drop (i32.add (i32.const 1) (i64.const 1)))
    (i32.const 0)))
