package guest_test

import (
	"context"
	"testing"

	"vatwarehouse/swing"
)

// BenchmarkDelivery: one message to a counter, with its answer, at the worker's door:
// what the kits cost. In C and in Go.
func BenchmarkDelivery(b *testing.B) {
	for _, language := range []string{"c", "go"} {
		b.Run(language, func(b *testing.B) {
			w := newWorld(b, style{language: language})
			id, _ := w.vat("counter")
			w.run()
			message := swing.AppendDelivery(nil, swing.Delivery[vref]{
				Kind: swing.DeliverMessage, Target: "o+0",
				Message: vmessage{Method: "incr", Args: list[vref](1), Result: "p-60"},
			})
			vat := w.vats[id].worker
			b.ReportAllocs()
			for b.Loop() {
				out, err := vat.Deliver(context.Background(), message, swing.Unbounded, anySyscaller{}, nil)
				if err != nil || !out.OK() {
					b.Fatal(out, err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deliveries/s")
		})
	}
}

// BenchmarkVolley: a ring of players, through a kernel over a map: no promises.
func BenchmarkVolley(b *testing.B) {
	for _, language := range []string{"c", "go"} {
		b.Run(language, func(b *testing.B) {
			w := newWorld(b, style{language: language})
			var ring []kref
			for range 8 {
				ring = append(ring, w.root("pingpong"))
			}
			for i, p := range ring {
				w.ask(p, "peer", ring[(i+1)%len(ring)])
			}
			const steps = 1000
			b.ReportAllocs()
			for b.Loop() {
				w.ask(ring[0], "volley", steps-1)
				clear(w.items)
			}
			b.ReportMetric(float64(b.N)*steps/b.Elapsed().Seconds(), "deliveries/s")
		})
	}
}

// BenchmarkTick: one tick at the exchange, to quiescence.
func BenchmarkTick(b *testing.B) {
	w := newWorld(b, reference)
	m := newMarket(w)
	deliveries := 0
	for id := range w.items {
		deliveries -= len(w.items[id])
	}
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		side := []string{"buy", "sell"}[n%2]
		m.ask(m.traders[n%traders], "tick", side, 100, 5)
		n++
	}
	for id := range w.items {
		deliveries += len(w.items[id])
	}
	b.ReportMetric(float64(deliveries)/float64(n), "deliveries/tick")
}

// BenchmarkTouch: a glutton's touch of 64 scattered pages, and the capture that finds
// them.
func BenchmarkTouch(b *testing.B) {
	w := newWorld(b, style{language: "c", restart: true})
	id, root := w.vat("glutton", 16<<20, 256, 64, 0, 0, 0, 0)
	w.run()
	pages := 0
	b.ReportAllocs()
	for b.Loop() {
		w.ask(root, "touch")
		pages += w.vats[id].written
	}
	b.ReportMetric(float64(pages)/float64(b.N), "pages/delivery")
}

// BenchmarkCompile: what it costs to compile a program, in an engine of its own.
func BenchmarkCompile(b *testing.B) {
	for _, language := range []string{"c", "go"} {
		b.Run(language, func(b *testing.B) {
			c := code(b, language, "trader")
			b.ReportAllocs()
			for b.Loop() {
				s := &stand{}
				s.program(b, "trader", c)
				if err := s.close(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(c)), "bytes")
		})
	}
}
