;; an integer of six bytes
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
  "\05\80\80\80\80\80\00")
