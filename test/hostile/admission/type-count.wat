;; 4 billion types in a handful of bytes
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\01\08\ff\ff\ff\ff\0f`\00\00"
  "\05\03\01\00\01")
