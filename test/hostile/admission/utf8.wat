;; an export name that is no UTF-8
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\05\03\01\00\01"
  "\07\06\01\02\c3(\02\00")
