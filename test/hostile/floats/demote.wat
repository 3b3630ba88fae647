;; a NaN made narrower
;; verdict: ok
(module
  (import "vat_v1" "input_read" (func $input_read (param i32 i32 i32) (result i32)))
  (import "vat_v1" "syscall" (func $syscall (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 2048) "\82AkD")
  (func $message (result i32)
    (drop (call $input_read (i32.const 0) (i32.const 0) (i32.const 3)))
    (i32.eq (i32.load8_u (i32.const 2)) (i32.const 2)))
  (func (export "vat_deliver") (param $len i32) (result i32)
    (if (i32.eqz (call $message)) (then (return (i32.const 0))))
    (f32.store (i32.const 2052) (f32.demote_f64 (f64.mul (f64.const nan:0x123) (f64.const 2))))
    (drop (call $syscall (i32.const 17) (i32.const 2048) (i32.const 8) (i32.const 0) (i32.const 0)))
    (i32.const 0)))
