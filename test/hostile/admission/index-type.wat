;; a function of a type that is not there
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\01\04\01`\00\00"
  "\03\02\01\05"
  "\05\03\01\00\01"
  "\0a\04\01\02\00\0b")
