;; the first bytes of another kind of program
;; verdict: refused
(module binary "\7fELF\01\00\00\00")
