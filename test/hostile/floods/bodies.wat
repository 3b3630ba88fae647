;; nine bodies of 1 MiB in one delivery
;; verdict: illegal
;; fuel: 100000000
(module
  (import "vat_v1" "input_read" (func $input_read (param i32 i32 i32) (result i32)))
  (import "vat_v1" "syscall" (func $syscall (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 32)
  (data (i32.const 1024) "\85do-50dincrZ\00\10\00\00")
  (data (i32.const 1049616) "\80\f6")
  (func $message (result i32)
    (drop (call $input_read (i32.const 0) (i32.const 0) (i32.const 3)))
    (i32.eq (i32.load8_u (i32.const 2)) (i32.const 2)))
  (func (export "vat_deliver") (param $len i32) (result i32) (local $n i32)
    (if (i32.eqz (call $message)) (then (return (i32.const 0))))
    (local.set $n (i32.const 9))
    (loop
      (drop (call $syscall (i32.const 1) (i32.const 1024) (i32.const 1048594) (i32.const 0) (i32.const 0)))
      (local.set $n (i32.sub (local.get $n) (i32.const 1)))
      (br_if 0 (local.get $n)))
    (i32.const 0)))
