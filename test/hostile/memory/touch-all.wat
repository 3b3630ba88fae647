;; every page of all the memory is written
;; verdict: ok
;; fuel: 100000000
(module
  (import "vat_v1" "input_read" (func $input_read (param i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $message (result i32)
    (drop (call $input_read (i32.const 0) (i32.const 0) (i32.const 3)))
    (i32.eq (i32.load8_u (i32.const 2)) (i32.const 2)))
  (func (export "vat_deliver") (param $len i32) (result i32) (local $n i32)
    (if (i32.eqz (call $message)) (then (return (i32.const 0))))
    (drop (memory.grow (i32.const 255)))
    (loop (i32.store8 (local.get $n) (i32.const 1)) (local.set $n (i32.add (local.get $n) (i32.const 4096))) (br_if 0 (i32.lt_u (local.get $n) (i32.const 16777216))))
    (i32.const 0)))
