;; A program that makes a syscall, and only then reads its input, which it fails with.
;; Built by: wat2wasm late.wat -o late.wasm
(module
  (import "vat_v1" "input_read" (func $input_read (param i32 i32 i32) (result i32)))
  (import "vat_v1" "syscall" (func $syscall (param i32 i32 i32 i32 i32) (result i32)))
  (import "vat_v1" "output_write" (func $output_write (param i32 i32)))
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param $len i32) (result i32)
    (drop (call $syscall (i32.const 1) (i32.const 0) (i32.const 100) (i32.const 1000) (i32.const 100)))
    (drop (call $input_read (i32.const 2000) (i32.const 0) (local.get $len)))
    (call $output_write (i32.const 2000) (local.get $len))
    (i32.const 1)))
