;; a memory by the name vat_deliver
;; verdict: refused
(module
  (memory (export "memory") (export "vat_deliver") 1))
