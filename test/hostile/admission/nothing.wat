;; a header and nothing behind it
;; verdict: refused
(module binary
  "\00asm\01\00\00\00"
)
