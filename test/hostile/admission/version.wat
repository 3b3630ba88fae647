;; version 2 of the format
;; verdict: refused
(module binary "\00asm\02\00\00\00")
