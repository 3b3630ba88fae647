;; a type that is a structure
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\01\03\01_\00"
  "\05\03\01\00\01")
