;; a copy onto itself, by one byte
;; verdict: ok
(module
  (import "vat_v1" "input_read" (func $input_read (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 1024) "abcde")
  (func $message (result i32)
    (drop (call $input_read (i32.const 0) (i32.const 0) (i32.const 3)))
    (i32.eq (i32.load8_u (i32.const 2)) (i32.const 2)))
  (func (export "vat_deliver") (param $len i32) (result i32)
    (if (i32.eqz (call $message)) (then (return (i32.const 0))))
    (memory.copy (i32.const 1025) (i32.const 1024) (i32.const 4))
    (if (i32.ne (i32.load (i32.const 1025)) (i32.const 0x64636261)) (then (unreachable)))
    (memory.copy (i32.const 1024) (i32.const 1025) (i32.const 4))
    (i32.const 0)))
