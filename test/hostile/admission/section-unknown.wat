;; a section that there is not
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\05\03\01\00\01"
  "\0e\00")
