;; a call by a typed reference
;; verdict: refused
;; flags: --enable-function-references
(module
  (func $f)
  (elem declare func $f)
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (call_ref (ref.func $f))
    (i32.const 0)))
