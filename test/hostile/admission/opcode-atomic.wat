;; an atomic addition
;; verdict: refused
;; flags: --enable-threads
(module
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (drop (i32.atomic.rmw.add (i32.const 0) (i32.const 1)))
    (i32.const 0)))
