;; an alignment that is more than natural
;; verdict: refused
(module
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (drop (i32.load align=8 (i32.const 0)))
    (i32.const 0)))
