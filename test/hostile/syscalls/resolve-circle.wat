;; two promises fulfilled with each other
;; verdict: illegal
(module
  (import "vat_v1" "input_read" (func $input_read (param i32 i32 i32) (result i32)))
  (import "vat_v1" "syscall" (func $syscall (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 1024) "\85do-50dincrB\81\01\82cp+7cp+8\f6\82\84cp+7\f4@\81cp+8\84cp+8\f4@\81cp+7")
  (func $message (result i32)
    (drop (call $input_read (i32.const 0) (i32.const 0) (i32.const 3)))
    (i32.eq (i32.load8_u (i32.const 2)) (i32.const 2)))
  (func (export "vat_deliver") (param $len i32) (result i32)
    (if (i32.eqz (call $message)) (then (return (i32.const 0))))
    (drop (call $syscall (i32.const 1) (i32.const 1024) (i32.const 24) (i32.const 0) (i32.const 0)))
    (drop (call $syscall (i32.const 3) (i32.const 1048) (i32.const 25) (i32.const 0) (i32.const 0)))
    (i32.const 0)))
