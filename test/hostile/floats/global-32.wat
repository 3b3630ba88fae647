;; a NaN of 32 bits that is a global
;; verdict: ok
(module
  (import "vat_v1" "input_read" (func $input_read (param i32 i32 i32) (result i32)))
  (import "vat_v1" "syscall" (func $syscall (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 2048) "\82AkH")
  (global $g (mut f32) (f32.const 0))
  (func $message (result i32)
    (drop (call $input_read (i32.const 0) (i32.const 0) (i32.const 3)))
    (i32.eq (i32.load8_u (i32.const 2)) (i32.const 2)))
  (func (export "vat_deliver") (param $len i32) (result i32)
    (if (i32.eqz (call $message)) (then (return (i32.const 0))))
    (global.set $g (f32.max (f32.const nan:0x123) (f32.const -nan:0x7)))
    (i64.store (i32.const 2052) (i64.const 1))
    (drop (call $syscall (i32.const 17) (i32.const 2048) (i32.const 12) (i32.const 0) (i32.const 0)))
    (i32.const 0)))
