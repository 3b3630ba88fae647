package kernel_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

func first(_ []kernel.Event, _ []int) int { return 0 }

// anyOf is an order that draws what goes next.
func anyOf(rng *rand.Rand, most *int) kernel.Order {
	return func(queue []kernel.Event, ready []int) int {
		*most = max(*most, len(ready))
		if ready[0] != 0 || !slices.IsSorted(ready) || ready[len(ready)-1] >= len(queue) {
			panic(fmt.Sprintf("%v of %d could go next", ready, len(queue)))
		}
		return rng.IntN(len(ready))
	}
}

// TestFirstIsTheDefaultOrder: an order that always takes the first gives the hashes that
// there are without one.
func TestFirstIsTheDefaultOrder(t *testing.T) {
	for seed := range uint64(2) {
		without, _ := runMonitor(t, seed, 600)
		m, roots := newMonitor(t, rand.NewPCG(seed, 7))
		m.checkEvery = recountCranks
		m.k.SetOrder(first)
		for m.cranks = range 600 {
			r := m.crank()
			if r.Crankhash != without[m.cranks] {
				t.Fatalf("seed %d: crank %d has another hash", seed, m.cranks)
			}
			if r.Kind == kernel.Idle {
				m.stimulate(roots)
			}
		}
	}
}

// TestAnyOrderIsSound: random vats, whose events leave the run-queue in an order that is
// drawn: no reference ever means something else, and the whole state recounts.
func TestAnyOrderIsSound(t *testing.T) {
	most := 0
	for seed := range uint64(4) {
		m, roots := newMonitor(t, rand.NewPCG(seed, 8))
		m.checkEvery = recountCranks
		m.k.SetOrder(anyOf(rand.New(rand.NewPCG(seed, 9)), &most))
		for m.cranks = range 1000 {
			if m.crank().Kind == kernel.Idle {
				m.stimulate(roots)
			}
		}
	}
	if most < 5 {
		t.Errorf("at most %d events could go next", most)
	}
}

// laned is a world of vats that send each other numbered messages, and see that those of
// one sender to one target come in order, and their own start before all else.
type laned struct {
	*world
	rng       *rand.Rand
	sent      map[string]int // by lane
	got       map[string]int
	reordered bool // some came before others that were sent earlier
	latest    int
	starts    []swing.VatID
}

// method names the next message of a lane: its sender, its target as the sender has it,
// its number there and in all.
func (l *laned) method(sender swing.VatID, target string) string {
	lane := string(sender) + ">" + target
	l.sent[lane]++
	l.sent["all"]++
	return fmt.Sprintf("%s %d %d", lane, l.sent[lane], l.sent["all"])
}

// gets sees that a message is the next of its lane.
func (l *laned) gets(method string) {
	var lane string
	var n, all int
	if _, err := fmt.Sscan(strings.ReplaceAll(method, "\n", " "), &lane, &n, &all); err != nil {
		return // of the embedder
	}
	if l.got[lane]++; l.got[lane] != n {
		l.t.Fatalf("%s: message %d came as number %d", lane, n, l.got[lane])
	}
	l.reordered = l.reordered || all < l.latest
	l.latest = max(l.latest, all)
}

// vatOf returns a program that sends to its peers, directly and by promises for objects of
// theirs, and answers with an object of its own, sometimes later.
func (l *laned) vatOf(id swing.VatID) program {
	var peers, promises, owed []swing.VRef
	asked := 0
	born := false
	return func(d delivery, call func(syscall) []byte) outcome {
		if start := d.Kind == swing.DeliverStartVat; start == born {
			l.t.Fatalf("%s: %v, and it was born: %v", id, d.Kind, born)
		}
		switch born = true; d.Kind {
		case swing.DeliverStartVat:
			l.starts = append(l.starts, id)
			peers = d.Params.Slots
			return done
		case swing.DeliverMessage:
			l.gets(d.Message.Method)
			if d.Message.Result != "" {
				owed = append(owed, d.Message.Result)
			}
		}
		if len(owed) > 0 && l.rng.IntN(3) > 0 {
			answer(call, owed[0], swing.ReferenceTo(swing.VRef(fmt.Sprintf("o+%d", 1+l.rng.IntN(2)))))
			owed = owed[1:]
		}
		if l.sent["all"] > 120 || len(peers) == 0 {
			return done
		}
		for range l.rng.IntN(4) {
			peer := peers[l.rng.IntN(len(peers))]
			switch l.rng.IntN(3) {
			case 0:
				asked++
				p := swing.VRef(fmt.Sprintf("p+%d", asked))
				promises = append(promises, p)
				call(send(peer, l.method(id, string(peer)), p))
			case 1:
				call(send(peer, l.method(id, string(peer)), ""))
			default:
				if len(promises) > 0 {
					p := promises[l.rng.IntN(len(promises))]
					call(send(p, l.method(id, string(p)), ""))
				}
			}
		}
		return done
	}
}

// TestLanesKeepTheirOrder: whatever the order, messages of one sender to one target come
// in the order in which they were sent, also by promises, also to vats that pipeline; and
// others do not. Vats start in the order in which they were made, before they are sent
// anything.
func TestLanesKeepTheirOrder(t *testing.T) {
	reordered, most := 0, 0
	for seed := range uint64(30) {
		l := &laned{
			world: newWorld(t), rng: rand.New(rand.NewPCG(seed, 3)),
			sent: map[string]int{}, got: map[string]int{},
		}
		l.checkEvery = recountCranks
		l.k.SetOrder(anyOf(l.rng, &most))
		var roots []swing.KRef
		for i := range 5 {
			id := swing.VatIDOf(uint64(i + 1))
			spec := kernel.VatSpec{Params: kcap{Slots: roots}, Pipelining: i%2 == 0}
			_, root, err := l.k.CreateVat(l.b, spec)
			if err != nil {
				t.Fatal(err)
			}
			l.programs[id] = l.vatOf(id)
			roots = append(roots, root)
		}
		for range 6 {
			for _, root := range roots {
				l.send(root, "go")
			}
			l.run()
		}
		if !slices.IsSorted(l.starts) || len(l.starts) != len(roots) {
			t.Errorf("seed %d: started are %v", seed, l.starts)
		}
		if l.sent["all"] < 20 {
			t.Errorf("seed %d: %d messages", seed, l.sent["all"])
		}
		if l.reordered {
			reordered++
		}
	}
	if reordered < 25 {
		t.Errorf("in %d of 30 runs some messages passed others", reordered)
	}
}
