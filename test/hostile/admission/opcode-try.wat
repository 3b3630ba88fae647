;; an exception is caught
;; verdict: refused
;; flags: --enable-exceptions
(module
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (try (do) (catch_all))
    (i32.const 0)))
