module gokernels

go 1.26
