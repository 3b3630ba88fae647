module vat

go 1.24
