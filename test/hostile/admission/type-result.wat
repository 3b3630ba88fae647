;; a block that leaves less than it says
;; verdict: refused
(module
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (drop (block (result i32)))
    (i32.const 0)))
