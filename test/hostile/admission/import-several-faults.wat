;; three imports that are refused, and a fourth that is not
;; verdict: refused
(module
  (import "env" "a" (func))
  (import "env" "b" (func))
  (import "vat_v1" "output_write" (func (param i32 i32)))
  (import "env" "c" (func))
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
