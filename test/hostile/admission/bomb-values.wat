;; blocks that pass 64 values on to one another
;; verdict: refused
(module
  (type $t (func (param i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)))
  (func
    i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0 i64.const 0
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) block (type $t) 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    end end end end end end 
    drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop drop)
  (memory (export "memory") 1)
  (func (export "vat_deliver") (param i32) (result i32) (i32.const 0)))
