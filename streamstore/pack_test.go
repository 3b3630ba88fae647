package streamstore

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"vatwarehouse/internal/frame"
)

// items of a pack, as a list.
func unpack(p pack) (all []string, err error) {
	for {
		ok, err := p.next()
		if err != nil || !ok {
			return all, err
		}
		all = append(all, fmt.Sprintf("%d@%d=%x", p.stream, p.position, p.item))
	}
}

// randomPack returns a pack's frame, its first item and its items as a list.
func randomPack(rng *rand.Rand) (b []byte, first packSpan, want []string) {
	var p packer
	stream, position := rng.Uint32N(9), rng.Uint64()>>8
	for range 1 + rng.IntN(20) {
		item := bytes.Repeat([]byte{byte(rng.Uint32())}, rng.IntN(40))
		p.add(stream, position, item)
		want = append(want, fmt.Sprintf("%d@%d=%x", stream, position, item))
		position++
		if rng.IntN(3) == 0 {
			stream, position = stream+1+rng.Uint32N(300), rng.Uint64()>>rng.IntN(60)
		}
	}
	first = p.first
	kind, head, payload := p.body()
	b, _ = frame.Append(nil, kind, 7, head, payload)
	return b, first, want
}

// TestPackRoundTrip: random packs, compressed or not, against a list.
func TestPackRoundTrip(t *testing.T) {
	t.Parallel()
	kinds := map[byte]int{}
	var buf []byte
	for seed := range uint64(2000) {
		b, first, want := randomPack(rand.New(rand.NewPCG(seed, 0)))
		f, err := one(b)
		if err != nil {
			t.Fatal(err)
		}
		kinds[f.Kind]++
		var p pack
		if p, buf, err = decodePack(f, first, buf); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if got, err := unpack(p); err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: %v\n got %v\nwant %v", seed, err, got, want)
		}
		other := first
		other.position++
		if _, _, err := decodePack(f, other, buf); !errors.Is(err, errStale) {
			t.Fatalf("seed %d: taken for another: %v", seed, err)
		}
	}
	if kinds[kindPlain] == 0 || kinds[kindPacked] == 0 {
		t.Errorf("kinds drawn: %v", kinds)
	}
}

// TestPackBombIsRefused: a claimed size is bounded by what lz4 can expand and by
// the limit, before anything is allocated for it.
func TestPackBombIsRefused(t *testing.T) {
	t.Parallel()
	for _, size := range []uint32{0, 1, 4, 4 * 256, packRawMax, packRawMax + 1, 1<<32 - 1} {
		body := []byte{byte(size), byte(size >> 8), byte(size >> 16), byte(size >> 24)}
		body = append(body, make([]byte, 12)...)
		body = append(body, 1, 2, 3, 4)
		b, _ := frame.Append(nil, kindPacked, 0, body)
		f, err := one(b)
		if err != nil {
			t.Fatal(err)
		}
		var used []byte
		_, used, err = decodePack(f, packSpan{}, nil)
		if !errors.Is(err, errBody) || cap(used) > 4096 {
			t.Errorf("claimed %d bytes: %v, %d allocated", size, err, cap(used))
		}
	}
}

// FuzzPack: any payload under a right check is refused or yields items.
func FuzzPack(f *testing.F) {
	for seed := range uint64(4) {
		b, _, _ := randomPack(rand.New(rand.NewPCG(seed, 0)))
		f.Add(b[4], b[frame.HeaderBytes:])
	}
	f.Add(byte(kindPacked), make([]byte, 34)) // to nothing: crashed in lz4's decoder
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		if kind == 0 {
			return
		}
		b, _ := frame.Append(nil, kind, 0, body)
		fr, err := one(b)
		if err != nil {
			t.Fatal(err)
		}
		r := fieldReader{b: body}
		r.uint32()
		first := packSpan{stream: r.uint32(), position: r.uint64()}
		p, _, err := decodePack(fr, first, nil)
		if err != nil {
			return
		}
		if all, err := unpack(p); err == nil && len(all) > 1+lz4RatioMax*len(body) {
			t.Fatalf("%d items from %d bytes", len(all), len(body))
		}
	})
}
