;; a branch without the value its label wants
;; verdict: refused
(module
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (drop (block (result i32) (br 0)))
    (i32.const 0)))
