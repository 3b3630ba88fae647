;; a lane that a vector does not have
;; verdict: refused
(module
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (drop (i64x2.extract_lane 1 (v128.const i64x2 0 0)))
    (drop (i32x4.add (i32.const 0) (v128.const i64x2 0 0)))
    (i32.const 0)))
