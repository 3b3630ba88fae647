;; a loop in the start function, before anything else
;; verdict: fuel
(module
  (memory (export "memory") 1)
  (start $s)
  (func $s (loop (br 0)))
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
