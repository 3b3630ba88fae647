;; the input read again, in pieces from behind, is the same
;; verdict: ok
(module
  (import "vat_v1" "input_read" (func $input_read (param i32 i32 i32) (result i32)))
  (import "vat_v1" "syscall" (func $syscall (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $message (result i32)
    (drop (call $input_read (i32.const 0) (i32.const 0) (i32.const 3)))
    (i32.eq (i32.load8_u (i32.const 2)) (i32.const 2)))
  (func (export "vat_deliver") (param $len i32) (result i32) (local $n i32)
    (if (i32.eqz (call $message)) (then (return (i32.const 0))))
    (drop (call $input_read (i32.const 4096) (i32.const 0) (local.get $len)))
    (local.set $n (local.get $len))
    (loop (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (drop (call $input_read (i32.const 512) (local.get $n) (i32.const 1)))
      (if (i32.ne (i32.load8_u (i32.const 512)) (i32.load8_u (i32.add (i32.const 4096) (local.get $n)))) (then (unreachable)))
      (br_if 0 (local.get $n)))
    (i32.const 0)))
