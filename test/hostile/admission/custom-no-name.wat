;; a custom section without a name
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\00\00"
  "\05\03\01\00\01")
