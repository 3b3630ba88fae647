;; a 128-bit global that lasts from delivery to delivery
;; verdict: ok
(module
  (import "vat_v1" "input_read" (func $input_read (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (global $v (mut v128) (v128.const i64x2 0 0))
  (func $message (result i32)
    (drop (call $input_read (i32.const 0) (i32.const 0) (i32.const 3)))
    (i32.eq (i32.load8_u (i32.const 2)) (i32.const 2)))
  (func (export "vat_deliver") (param $len i32) (result i32)
    (if (i32.eqz (call $message)) (then (return (i32.const 0))))
    (if (i64x2.all_true (i64x2.ne (global.get $v) (v128.load (i32.const 1024)))) (then (unreachable)))
    (global.set $v (i64x2.add (global.get $v) (v128.const i64x2 1 -1)))
    (v128.store (i32.const 1024) (global.get $v))
    (i32.const 0)))
