;; two memory sections
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\05\03\01\00\01"
  "\05\03\01\00\01")
