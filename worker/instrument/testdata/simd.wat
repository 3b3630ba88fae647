;; wat2wasm simd.wat -o simd.wasm
;; Vector opcodes of one and of two bytes, with every kind of immediate.
(module
  (memory (export "memory") 1)
  (global $acc (mut v128) (v128.const i8x16 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16))
  (func (export "mix") (param $x i32) (result i64)
    (local $v v128)
    (local.set $v (i32x4.splat (local.get $x)))
    (local.set $v (i8x16.shuffle 0 17 2 19 4 21 6 23 8 25 10 27 12 29 14 31
      (local.get $v) (global.get $acc)))
    (local.set $v (i16x8.mul (local.get $v) (i16x8.extmul_low_i8x16_s (local.get $v) (global.get $acc))))
    (local.set $v (i8x16.swizzle (local.get $v) (v128.const i8x16 3 1 4 1 5 9 2 6 5 3 5 8 9 7 9 3)))
    (v128.store offset=64 align=1 (i32.const 0) (local.get $v))
    (v128.store16_lane offset=80 3 (i32.const 0) (local.get $v))
    (local.set $v (v128.load8_lane offset=65 5 (i32.const 0) (local.get $v)))
    (local.set $v (i64x2.add (local.get $v) (v128.load32_zero offset=64 (i32.const 0))))
    (local.set $v (v128.bitselect (local.get $v) (global.get $acc) (v128.load8x8_u offset=66 (i32.const 0))))
    (local.set $v (i32x4.trunc_sat_f64x2_s_zero (f64x2.convert_low_i32x4_s (local.get $v))))
    (global.set $acc (i64x2.sub (i8x16.avgr_u (global.get $acc) (local.get $v)) (local.get $v)))
    (i64.add (i64x2.extract_lane 0 (global.get $acc)) (i64x2.extract_lane 1 (global.get $acc))))
  (func (export "lanes") (param $x i64) (result i32)
    (global.set $acc (i64x2.replace_lane 1 (global.get $acc) (local.get $x)))
    (i32.add (i8x16.bitmask (global.get $acc)) (i32x4.all_true (global.get $acc)))))
