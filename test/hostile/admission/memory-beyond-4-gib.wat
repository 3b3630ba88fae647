;; a memory that 32 bits cannot address
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\05\05\01\00\81\80\04")
