;; groups of locals whose sum wraps around
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\01\04\01`\00\00\03\03\02\00\00\05\03\01\00\01"
  "\0a\13\02\02\00\0b\0e\02\80\80\80\80\08\7f\80\80\80\80\08~\0b")
