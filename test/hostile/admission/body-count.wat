;; more functions than bodies
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\01\04\01`\00\00"
  "\03\03\02\00\00"
  "\05\03\01\00\01"
  "\0a\04\01\02\00\0b")
