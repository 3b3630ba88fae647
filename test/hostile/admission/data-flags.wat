;; a data segment of a kind that there is not
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\05\03\01\00\01"
  "\0b\03\01\03\00")
