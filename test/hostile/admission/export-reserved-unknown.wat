;; an export whose name begins with a zero byte
;; verdict: refused
(module
  (func (export "\00fuel"))
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
