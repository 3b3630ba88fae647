;; a global by the name vat_deliver
;; verdict: refused
(module
  (memory (export "memory") 1)
  (global (export "vat_deliver") i32 (i32.const 0)))
