;; memory.init of a segment that is gone by then
;; verdict: refused
(module
  (memory (export "memory") 1)
  (data $d (i32.const 0) "ab")
  (func (export "vat_deliver") (param i32) (result i32)
    (memory.init $d (i32.const 0) (i32.const 0) (i32.const 2))
    (i32.const 0)))
