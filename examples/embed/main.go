// Embed is a whole program on vatwarehouse: it installs a program, makes a vat,
// sends it messages, and prints the answers. Run it twice: the vat counts on.
//
//	go run ./examples/embed [DIRECTORY]
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"vatwarehouse/guest"
	"vatwarehouse/host"
)

func main() {
	dir := "" // in memory
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	if err := run(context.Background(), dir); err != nil {
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string) (err error) {
	h, err := host.Open(ctx, dir, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.Close(ctx)) }()

	counter, err := h.Vat("counter")
	if errors.Is(err, host.ErrNotFound) {
		counter, err = create(ctx, h)
	}
	if err != nil {
		return err
	}
	// Arguments are a CBOR list: [3] is 0x81 0x03.
	answer, err := h.Send(ctx, counter.Root, host.Message{Method: "incr", Body: []byte{0x81, 3}})
	if err != nil {
		return err
	}
	if _, err := h.Run(ctx, host.Policy{}); err != nil {
		return err
	}
	promise, err := h.Promise(answer)
	if err != nil {
		return err
	}
	hash, err := h.Activityhash()
	if err != nil {
		return err
	}
	fmt.Printf("%v with 0x%x, activityhash %s\n", promise.State, promise.Data.Body, hash.Short())
	return h.Release(ctx, answer)
}

func create(ctx context.Context, h *host.Host) (host.Vat, error) {
	code, _ := guest.Program("counter")
	hash, err := h.Install(ctx, code)
	if err != nil {
		return host.Vat{}, err
	}
	if _, _, err := h.CreateVat(ctx, host.VatSpec{Name: "counter", Code: hash}); err != nil {
		return host.Vat{}, err
	}
	return h.Vat("counter")
}
