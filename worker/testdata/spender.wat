;; A program that spends what the last 16 bytes of its delivery's body say: four
;; little-endian words, op, a, b, c. Built by: wat2wasm spender.wat -o spender.wasm
(module
  (import "vat_v1" "input_read" (func $input_read (param i32 i32 i32) (result i32)))
  (import "vat_v1" "syscall" (func $syscall (param i32 i32 i32 i32 i32) (result i32)))
  (import "vat_v1" "output_write" (func $output_write (param i32 i32)))
  (memory (export "memory") 2 16)
  (func $forever (loop $again (br $again)))
  (func $deeper (param $n i32) (result i32)
    (i32.add (i32.const 1) (call $deeper (local.get $n))))
  (func $rounds (param $n i32) (result i32)
    (local $sum i32)
    (loop $again
      (local.set $sum (i32.add (i32.mul (local.get $sum) (i32.const 31)) (local.get $n)))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))
  (func (export "vat_deliver") (param $len i32) (result i32)
    (local $a i32) (local $b i32)
    (drop (call $input_read (i32.const 512) (i32.sub (local.get $len) (i32.const 17)) (i32.const 16)))
    (local.set $a (i32.load (i32.const 516)))
    (local.set $b (i32.load (i32.const 520)))
    (block $default
      (block $op8 (block $op7 (block $op6 (block $op5 (block $op4 (block $op3 (block $op2 (block $op1 (block $op0
        (br_table $op0 $op1 $op2 $op3 $op4 $op5 $op6 $op7 $op8 $default (i32.load (i32.const 512))))
        ;; 0: nothing
        (return (i32.const 0)))
        ;; 1: a loop without end
        (call $forever)
        (br $default))
        ;; 2: recursion without end
        (drop (call $deeper (i32.const 0)))
        (br $default))
        ;; 3: grow by a pages, and trap if that is refused
        (if (i32.eq (memory.grow (local.get $a)) (i32.const -1)) (then (unreachable)))
        (br $default))
        ;; 4: grow by a pages, whatever comes of it, and then by b and trap
        (drop (memory.grow (local.get $a)))
        (drop (memory.grow (local.get $b)))
        (unreachable))
        ;; 5: go round a times
        (i32.store (i32.const 1024) (call $rounds (local.get $a)))
        (br $default))
        ;; 6: a syscall of a bytes that has room for b bytes of its answer
        (drop (call $syscall (i32.const 7) (i32.const 1024) (local.get $a) (i32.const 1024) (local.get $b)))
        (br $default))
      ;; 7: fill a bytes, and copy b
      (memory.fill (i32.const 1024) (i32.const 1) (local.get $a))
      (memory.copy (i32.const 1024) (i32.const 2048) (local.get $b))
      (br $default))
      ;; 8: a syscall, and then go round a times
      (drop (call $syscall (i32.const 8) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)))
      (i32.store (i32.const 1024) (call $rounds (local.get $a))))
    (i32.const 0)))
