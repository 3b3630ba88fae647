;; no vat_deliver
;; verdict: refused
(module
  (memory (export "memory") 1))
