;; a data count of 2 for one segment
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\05\03\01\00\01"
  "\0c\01\02"
  "\0b\04\01\01\01a")
