;; an element segment that says it has 4 billion entries
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\01\04\01`\00\00"
  "\04\04\01p\00\01"
  "\05\03\01\00\01"
  "\09\0a\01\00A\00\0b\ff\ff\ff\ff\0f")
