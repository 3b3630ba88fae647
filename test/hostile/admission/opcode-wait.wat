;; a wait for another thread
;; verdict: refused
;; flags: --enable-threads
(module
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))
    (i32.const 0)))
