;; a group of 4 billion locals, in five bytes
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\01\04\01`\00\00\03\03\02\00\00\05\03\01\00\01"
  "\0a\0d\02\08\01\ff\ff\ff\ff\0f\7f\0b\02\00\0b")
