// GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o guest.wasm .
//
// A Go program as a guest: a garbage collector, a map, slices that come and go.
package main

import "strconv"

var (
	calls uint32
	seen  = map[string]uint32{}
	kept  [64][]byte
)

//go:wasmexport vat_deliver
func deliver(n uint32) uint32 {
	calls++
	key := strconv.Itoa(int(n % 100))
	seen[key] += calls
	for i := range n % 50 {
		kept[(calls+i)%64] = make([]byte, 100+37*i)
		kept[(calls+i)%64][i] = byte(n)
	}
	sum := seen[key]
	for _, k := range kept {
		for _, b := range k {
			sum = sum*31 + uint32(b)
		}
	}
	return sum + uint32(len(seen))
}

func main() {}
