;; relaxed SIMD, which differs between machines
;; verdict: refused
;; flags: --enable-relaxed-simd
(module
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32)
    (drop (f32x4.relaxed_madd (v128.const i64x2 0 0) (v128.const i64x2 0 0) (v128.const i64x2 0 0)))
    (i32.const 0)))
