;; NaNs in the lanes of f64x2.min
;; verdict: ok
(module
  (import "vat_v1" "input_read" (func $input_read (param i32 i32 i32) (result i32)))
  (import "vat_v1" "syscall" (func $syscall (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 2048) "\82AkP")
  (func $message (result i32)
    (drop (call $input_read (i32.const 0) (i32.const 0) (i32.const 3)))
    (i32.eq (i32.load8_u (i32.const 2)) (i32.const 2)))
  (func (export "vat_deliver") (param $len i32) (result i32)
    (if (i32.eqz (call $message)) (then (return (i32.const 0))))
    (v128.store (i32.const 2052) (f64x2.min (v128.const i32x4 0x7fc00123 0xffc00007 0x7f800000 0) (v128.const i32x4 0xffc00001 0x7fc00456 0xff800000 0)))
    (drop (call $syscall (i32.const 17) (i32.const 2048) (i32.const 20) (i32.const 0) (i32.const 0)))
    (i32.const 0)))
