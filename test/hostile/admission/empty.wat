;; no bytes
;; verdict: refused
(module binary "")
