;; a data segment that says it is 4 GB long
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\05\03\01\00\01"
  "\0b\0d\01\00A\00\0b\ff\ff\ff\ff\0fabc")
