;; a type that is a structure
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\01\05\01_\01\7f\00"
  "\05\03\01\00\01")
