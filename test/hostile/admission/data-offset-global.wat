;; a data segment at a place that a global says
;; verdict: refused
(module
  (global $g i32 (i32.const 0))
  (data (global.get $g) "ab")
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
