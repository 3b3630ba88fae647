;; bytes left over in a section
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\05\04\01\00\01\00")
