;; elem.drop, which leaves a mark that no snapshot holds
;; verdict: refused
(module
  (elem $e func $f)
  (func $f)
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (elem.drop $e) (i32.const 0)))
