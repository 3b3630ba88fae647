;; a section longer than the file
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\05\7f\01\00\01")
