;; an exception tag of the host
;; verdict: refused
;; flags: --enable-exceptions
(module
  (import "env" "t" (tag))
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
