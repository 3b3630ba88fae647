;; unaligned reads and writes of every width
;; verdict: ok
(module
  (import "vat_v1" "input_read" (func $input_read (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $message (result i32)
    (drop (call $input_read (i32.const 0) (i32.const 0) (i32.const 3)))
    (i32.eq (i32.load8_u (i32.const 2)) (i32.const 2)))
  (func (export "vat_deliver") (param $len i32) (result i32)
    (if (i32.eqz (call $message)) (then (return (i32.const 0))))
    (i64.store align=1 (i32.const 1025) (i64.const 0x0807060504030201))
    (if (i32.ne (i32.load16_u align=1 (i32.const 1026)) (i32.const 0x0302)) (then (unreachable)))
    (if (i32.ne (i32.load align=1 (i32.const 1027)) (i32.const 0x06050403)) (then (unreachable)))
    (v128.store align=1 (i32.const 1029) (v128.load align=1 (i32.const 1023)))
    (i32.const 0)))
