package host_test

import (
	"context"
	"fmt"
	"log"

	"vatwarehouse/guest"
	"vatwarehouse/host"
)

// A whole program: a vat that counts, asked twice.
func Example() {
	ctx := context.Background()
	h, err := host.Open(ctx, "", nil) // "" keeps everything in memory
	if err != nil {
		log.Fatal(err)
	}
	defer h.Close(ctx)

	code, _ := guest.Program("counter")
	program, err := h.Install(ctx, code)
	if err != nil {
		log.Fatal(err)
	}
	_, root, err := h.CreateVat(ctx, host.VatSpec{Name: "counter", Code: program})
	if err != nil {
		log.Fatal(err)
	}
	for _, n := range []byte{3, 4} {
		// The example vats take a CBOR list of arguments: [n] is 0x81 n.
		answer, err := h.Send(ctx, root, host.Message{Method: "incr", Body: []byte{0x81, n}})
		if err != nil {
			log.Fatal(err)
		}
		if _, err := h.Run(ctx, host.Policy{}); err != nil {
			log.Fatal(err)
		}
		promise, err := h.Promise(answer)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%v: 0x%x\n", promise.State, promise.Data.Body)
	}
	// Output:
	// fulfilled: 0x8103
	// fulfilled: 0x8107
}
