;; a reference to a function that nothing declares
;; verdict: refused
(module
  (func $f)
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (drop (ref.func $f))
    (i32.const 0)))
