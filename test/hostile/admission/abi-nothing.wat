;; a module that is no vat in any respect
;; verdict: refused
(module
  (memory 1)
  (func (export "_initialize") (param i32)))
