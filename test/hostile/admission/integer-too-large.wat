;; an integer of more than 32 bits
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\05\07\01\00\ff\ff\ff\ff\7f")
