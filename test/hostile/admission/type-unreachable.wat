;; code behind a trap that could not be right
;; verdict: refused
(module
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (unreachable) (drop (f32.add (i32.const 0) (f32.const 0)))
    (i32.const 0)))
