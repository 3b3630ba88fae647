;; a component, whose header is much like a module's
;; verdict: refused
(module binary "\00asm\0d\00\01\00")
