// Gokernels is a program in Go for `swingsim bench meter`: what its library does with
// JSON, maps and lists. The last 4 bytes of a delivery's body say how many rounds; the sum of
// what was computed goes out as a syscall.
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unsafe"
)

//go:wasmimport vat_v1 input_read
func inputRead(to unsafe.Pointer, at, n uint32) uint32

//go:wasmimport vat_v1 syscall
func syscall(op uint32, request unsafe.Pointer, n uint32, answer unsafe.Pointer, room uint32) int32

type item struct {
	Name  string         `json:"name"`
	Price float64        `json:"price"`
	Tags  []string       `json:"tags"`
	Stock map[string]int `json:"stock"`
}

func round(seed *uint64) uint64 {
	draw := func(n uint64) uint64 {
		*seed = *seed*6364136223846793005 + 1442695040888963407
		return *seed >> 33 % n
	}
	var items []item
	for i := range 100 {
		it := item{Name: fmt.Sprintf("item-%d-%d", i, draw(1000)), Price: float64(draw(10000)) / 4}
		it.Stock = map[string]int{}
		for k := range 4 {
			it.Tags = append(it.Tags, strings.Repeat(string(rune('a'+draw(26))), 1+k))
			it.Stock[fmt.Sprint("place", k)] = int(draw(100))
		}
		items = append(items, it)
	}
	text, err := json.Marshal(items)
	if err != nil {
		panic(err)
	}
	var back []item
	if err := json.Unmarshal(text, &back); err != nil {
		panic(err)
	}
	slices.SortFunc(back, func(a, b item) int { return strings.Compare(a.Name, b.Name) })
	sum := uint64(len(text))
	for _, it := range back {
		for _, c := range []byte(it.Name) {
			sum = sum*131 ^ uint64(c)
		}
		sum += uint64(it.Stock["place2"])
	}
	return sum
}

//go:wasmexport vat_deliver
func deliver(n uint32) int32 {
	var order [4]byte
	inputRead(unsafe.Pointer(&order[0]), n-5, 4)
	seed, sum := uint64(1), uint64(0)
	for range binary.LittleEndian.Uint32(order[:]) {
		sum = sum*31 + round(&seed)
	}
	var answer [8]byte
	binary.LittleEndian.PutUint64(answer[:], sum)
	syscall(1, unsafe.Pointer(&answer[0]), 8, nil, 0)
	return 0
}

func main() {}
