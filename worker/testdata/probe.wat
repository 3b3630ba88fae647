;; A program that does what the last 16 bytes of its delivery's body say: four
;; little-endian words, op, a, b, c. Built by: wat2wasm probe.wat -o probe.wasm
(module
  (import "vat_v1" "input_read" (func $input_read (param i32 i32 i32) (result i32)))
  (import "vat_v1" "syscall" (func $syscall (param i32 i32 i32 i32 i32) (result i32)))
  (import "vat_v1" "result_read" (func $result_read (param i32 i32 i32) (result i32)))
  (import "vat_v1" "output_write" (func $output_write (param i32 i32)))
  (import "vat_v1" "log" (func $log (param i32 i32 i32)))
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
  (memory (export "memory") 2 64)
  (global $count (mut i32) (i32.const 7))
  (global $hash (mut i64) (i64.const 1469598103934665603))
  (global $float (mut f64) (f64.const 1.5))
  (global $vector (mut v128) (v128.const i64x2 1 2))
  (global $started (mut i32) (i32.const 0))
  (data (i32.const 256) "born with this")
  (data (i32.const 264) "OVERLAP")
  (data $passive "passive bytes")
  (start $begin)
  (func $begin
    (i32.store (i32.const 300) (i32.load (i32.const 256)))
    (global.set $started (i32.add (global.get $started) (i32.const 1))))
  (func (export "_initialize")
    (i32.store (i32.const 304) (i32.add (i32.load (i32.const 304)) (global.get $started)))
    (global.set $started (i32.add (global.get $started) (i32.const 10))))
  (func $mix (param $v i64)
    (global.set $hash (i64.mul (i64.xor (global.get $hash) (local.get $v)) (i64.const 1099511628211))))
  (func $recurse (param $n i32) (result i32)
    (if (result i32) (local.get $n)
      (then (i32.add (i32.const 1) (call $recurse (i32.sub (local.get $n) (i32.const 1)))))
      (else (i32.const 0))))
  (func $scatter (param $n i32) (param $at i32) (param $step i32)
    (loop $next
      (i32.store (local.get $at) (i32.add (i32.load (local.get $at)) (i32.const 1)))
      (local.set $at (i32.add (local.get $at) (local.get $step)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if $next (local.get $n))))
  (func (export "vat_deliver") (param $len i32) (result i32)
    (local $a i32) (local $b i32) (local $c i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (global.set $float (f64.mul (global.get $float) (f64.const 1.0000001)))
    (drop (call $input_read (i32.const 512) (i32.sub (local.get $len) (i32.const 17)) (i32.const 16)))
    (local.set $a (i32.load (i32.const 516)))
    (local.set $b (i32.load (i32.const 520)))
    (local.set $c (i32.load (i32.const 524)))
    (block $default
    (block $op17 (block $op16 (block $op15 (block $op14 (block $op13 (block $op12 (block $op11 (block $op10
    (block $op9 (block $op8 (block $op7 (block $op6 (block $op5 (block $op4 (block $op3 (block $op2 (block $op1 (block $op0
      (br_table $op0 $op1 $op2 $op3 $op4 $op5 $op6 $op7 $op8 $op9 $op10 $op11 $op12 $op13 $op14 $op15 $op16 $op17 $default
        (i32.load (i32.const 512))))
      ;; 0: nothing
      (return (i32.const 0)))
      ;; 1: store b at a
      (i32.store (local.get $a) (local.get $b))
      (br $default))
      ;; 2: grow by a pages
      (call $mix (i64.extend_i32_s (memory.grow (local.get $a))))
      (br $default))
      ;; 3: trap
      (unreachable))
      ;; 4: syscall a with c bytes at b, the answer to 2048
      (call $mix (i64.extend_i32_u (call $syscall (local.get $a) (local.get $b) (local.get $c) (i32.const 2048) (i32.const 64))))
      (call $mix (i64.load (i32.const 2048)))
      (br $default))
      ;; 5: add to the vector
      (global.set $vector (i64x2.add (global.get $vector) (i64x2.splat (i64.extend_i32_u (local.get $a)))))
      (br $default))
      ;; 6: drop the passive segment
      (data.drop $passive)
      (br $default))
      ;; 7: copy b bytes of the passive segment to a (traps once it is dropped)
      (memory.init $passive (local.get $a) (i32.const 0) (local.get $b))
      (br $default))
      ;; 8: b random bytes to a
      (drop (call $random_get (local.get $a) (local.get $b)))
      (br $default))
      ;; 9: clock to a
      (drop (call $clock (i32.const 0) (i64.const 0) (local.get $a)))
      (call $mix (i64.load (local.get $a)))
      (br $default))
      ;; 10: wait for a nanoseconds
      (i64.store (i32.const 3072) (i64.const 99))
      (i32.store8 (i32.const 3080) (i32.const 0))
      (i64.store (i32.const 3096) (i64.extend_i32_u (local.get $a)))
      (i32.store16 (i32.const 3112) (i32.const 0))
      (drop (call $poll (i32.const 3072) (i32.const 3200) (i32.const 1) (i32.const 3300)))
      (br $default))
      ;; 11: divide by a
      (call $mix (i64.extend_i32_s (i32.div_s (i32.const 100) (local.get $a))))
      (br $default))
      ;; 12: output b bytes at a and fail with c
      (call $output_write (local.get $a) (local.get $b))
      (return (local.get $c)))
      ;; 13: log b bytes at a
      (call $log (i32.const 2) (local.get $a) (local.get $b))
      (br $default))
      ;; 14: exit with a
      (call $proc_exit (local.get $a))
      (br $default))
      ;; 15: scatter a writes from b, c bytes apart
      (call $scatter (local.get $a) (local.get $b) (local.get $c))
      (br $default))
      ;; 16: recurse a deep
      (call $mix (i64.extend_i32_u (call $recurse (local.get $a))))
      (br $default))
      ;; 17: read c bytes of the last answer from b to a
      (call $mix (i64.extend_i32_u (call $result_read (local.get $a) (local.get $b) (local.get $c))))
    )
    (call $mix (i64.load (i32.const 512)))
    (call $mix (global.get $hash))
    (i32.const 0)))
