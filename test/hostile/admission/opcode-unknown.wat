;; an opcode that there is not
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\01\06\01`\01\7f\01\7f\03\02\01\00\05\03\01\00\01\07\18\02\06memory\02\00\0bvat_deliver\00\00"
  "\0a\07\01\05\00\ffA\00\0b")
