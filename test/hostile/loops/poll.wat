;; a loop that waits
;; verdict: fuel
(module
  (import "vat_v1" "input_read" (func $input_read (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $message (result i32)
    (drop (call $input_read (i32.const 0) (i32.const 0) (i32.const 3)))
    (i32.eq (i32.load8_u (i32.const 2)) (i32.const 2)))
  (func (export "vat_deliver") (param $len i32) (result i32)
    (if (i32.eqz (call $message)) (then (return (i32.const 0))))
    (i32.store8 (i32.const 2048) (i32.const 0))
    (loop (drop (call $poll_oneoff (i32.const 2048) (i32.const 4096) (i32.const 1) (i32.const 8192))) (br 0))
    (i32.const 0)))
