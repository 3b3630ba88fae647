;; a custom section whose name is longer than it
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\00\04\7fabc"
  "\05\03\01\00\01")
