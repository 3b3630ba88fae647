;; A program whose start function never ends. Built by: wat2wasm endless.wat -o endless.wasm
(module
  (memory (export "memory") 1)
  (start $begin)
  (func $begin (loop $again (br $again)))
  (func (export "vat_deliver") (param $len i32) (result i32) (i32.const 0)))
