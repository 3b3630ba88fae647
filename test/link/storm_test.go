package link_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"vatwarehouse/devices"
	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
)

// market is the exchange of the example vats, spread over two kernels: the mints are on a,
// the book is on b, and each has a trader with its purses.
type market struct {
	nodes   [2]*node
	traders [2]swing.KRef
	asked   []audited
	far     swing.KRef // the sampler of b, at a
}

// audited is somebody who says what it has.
type audited struct {
	*node
	root swing.KRef
}

// newMarket makes it, and carries what there is to be said by calm.
func newMarket(a, b *node, calm func()) *market {
	a.Helper()
	m := &market{nodes: [2]*node{a, b}}
	connect(a, b)
	book := b.vat("book", "book", "gold", "coal")
	books := [2]swing.KRef{share(b, a, 1, book), book}
	var purses [2][2]swing.KRef
	for i, n := range m.nodes {
		purses[i] = [2]swing.KRef{n.vat("purse", "gold-purse"), n.vat("purse", "coal-purse")}
		m.traders[i] = n.vat("trader", "trader", books[i], purses[i][0], purses[i][1])
		m.asked = append(m.asked, audited{n, purses[i][0]}, audited{n, purses[i][1]})
	}
	for i, currency := range []string{"gold", "coal"} {
		far := share(b, a, 3+i, purses[1][i])
		mint := a.vat("mint", currency, currency, purses[0][i], 100, far, 2000, books[0], 0)
		m.asked = append(m.asked, audited{a, mint})
	}
	m.asked = append(m.asked, audited{b, book})
	m.far = share(b, a, 5, b.vat("sampler", "sampler"))
	a.keep()
	b.keep()
	calm()
	return m
}

// keep makes all durable.
func (n *node) keep() { n.must(n.h.Commit(ctx)) }

// play has so many ticks of the traders, one after the other, and as many other messages,
// and returns all that was answered. Between two ticks all is carried by storm.
func (m *market) play(rng *rand.Rand, ticks int, storm func()) (answers []string) {
	for range ticks {
		i := rng.IntN(2)
		side := []string{"buy", "sell"}[rng.IntN(2)]
		tick := m.nodes[i].send(m.traders[i], "tick", side, 9+rng.IntN(3), 1+rng.IntN(5))
		a := m.nodes[0]
		promise := a.send(m.far, "promise")
		echo := a.send(m.far, "echo", 1, "", []byte{}, true, promise)
		settle := a.send(m.far, "settle", rng.IntN(2) == 0, "so")
		storm()
		answers = append(answers, m.nodes[i].answer(tick), a.answer(settle))
		for range 2 { // the answer's promise, and what that was fulfilled with
			slots := a.slots(echo)
			if len(slots) != 1 {
				a.Fatalf("an echo of %d references", len(slots))
			}
			echo = slots[0]
		}
		answers = append(answers, a.answer(echo))
		m.nodes[0].keep()
		m.nodes[1].keep()
	}
	var audits []swing.KRef
	for _, x := range m.asked {
		audits = append(audits, x.send(x.root, "audit"))
	}
	storm()
	for i, x := range m.asked {
		answers = append(answers, x.answer(audits[i]))
	}
	return answers
}

// storm is a network, and a world, in which everything goes wrong that may.
type storm struct {
	testing.TB
	rng    *rand.Rand
	nodes  []*node
	flying []parcel
	counts map[string]int
}

// parcel is one that is on its way.
type parcel struct {
	from, to *node
	body     []byte
}

func (s *storm) did(what string) { s.counts[what]++ }

// pair returns two nodes, at random.
func (s *storm) pair() (from, to *node) {
	i := s.rng.IntN(2)
	return s.nodes[i], s.nodes[1-i]
}

// step does one thing.
func (s *storm) step() {
	from, to := s.pair()
	switch p := s.rng.IntN(100); {
	case p < 35:
		_, err := from.h.Run(ctx, host.Policy{Cranks: 1 + s.rng.Uint64N(12)})
		s.must(err)
	case p < 60:
		s.post(from, to)
	case p < 90 && len(s.flying) > 0:
		s.land(s.rng.IntN(len(s.flying)))
	case p < 93 && len(s.flying) > 0:
		s.did("lost")
		i := s.rng.IntN(len(s.flying))
		s.flying = slices.Delete(s.flying, i, i+1)
	case p == 95 && len(s.flying) > 0:
		s.did("cut")
		s.flying = nil
	case p == 96 || p == 97:
		s.did("restarted")
		from.close()
		from.open()
	case p == 98:
		s.did("crashed")
		left := from.files.Crash(s.rng.Uint64(), s.rng.IntN(101))
		from.close() // what it does to the files now, nobody will see
		from.files = left
		from.open()
	}
}

func (s *storm) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// post sends what one has to say, from some message on that is not acknowledged.
func (s *storm) post(from, to *node) {
	c, err := from.box.Correspondence(ctx, to.name)
	s.must(err)
	after := c.Acknowledged + s.rng.Uint64N(c.Sent-c.Acknowledged+1)
	body, _, err := from.box.Parcel(ctx, to.name, after)
	s.must(err)
	s.did("sent")
	s.flying = append(s.flying, parcel{from, to, body})
}

// land hands a parcel over, which stays on its way now and then.
func (s *storm) land(i int) {
	p := s.flying[i]
	if i > 0 {
		s.did("overtaking")
	}
	if s.rng.IntN(4) > 0 {
		s.flying = slices.Delete(s.flying, i, i+1)
	} else {
		s.did("doubled")
	}
	s.must(p.to.box.Take(ctx, p.from.name, p.body))
}

// rage lets the storm rage for a while, and waits until all is quiet. Some parcels stay on
// their way, to arrive late.
func (s *storm) rage() {
	for range 10 + s.rng.IntN(60) {
		s.step()
	}
	for _, n := range s.nodes {
		n.keep()
	}
	quiesce(s.nodes...)
	if len(s.flying) > 40 {
		s.flying = s.flying[:40]
	}
}

// stormy plays a market in a storm, with the mailboxes given, and returns what was answered
// and what the storm did.
func stormy(t testing.TB, seed uint64, ticks int, mailbox kernel.Device) ([]string, map[string]int) {
	o := host.Options{Interpreter: true, BlockCranks: 7, MaxVats: 3}
	a, b := newNodeWith(t, "a", o, mailbox), newNodeWith(t, "b", o, mailbox)
	s := &storm{
		TB: t, rng: rand.New(rand.NewPCG(seed, 1)), nodes: []*node{a, b}, counts: map[string]int{},
	}
	m := newMarket(a, b, s.rage)
	answers := m.play(rand.New(rand.NewPCG(seed, 2)), ticks, s.rage)
	for _, n := range s.nodes {
		n.check()
	}
	return answers, s.counts
}

// check checks the whole directory.
func (n *node) check() {
	n.Helper()
	_, err := n.h.Check(ctx, func(f host.Fault) { n.Errorf("%s: %v", n.name, f) })
	n.must(err)
}

// undisturbed plays the same market, and nothing goes wrong.
func undisturbed(t testing.TB, seed uint64, ticks int) []string {
	a, b := newNode(t, "a", host.Options{}), newNode(t, "b", host.Options{})
	calm := func() { quiesce(a, b) }
	m := newMarket(a, b, calm)
	return m.play(rand.New(rand.NewPCG(seed, 2)), ticks, calm)
}

// TestStorm: whatever is lost, doubled, reordered or cut, and whoever is restarted or
// crashes: all vats give the answers that they give when nothing happens.
func TestStorm(t *testing.T) {
	t.Parallel()
	rounds, ticks := 4, 10
	if testing.Short() {
		rounds = 1
	}
	seed := uint64(time.Now().UnixNano())
	total := map[string]int{}
	for i := range uint64(rounds) {
		t.Logf("seed %d", seed+i)
		want := undisturbed(t, seed+i, ticks)
		got, counts := stormy(t, seed+i, ticks, devices.Mailbox{})
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: %q,\nundisturbed %q", seed+i, got, want)
		}
		if placed := strings.Count(fmt.Sprint(got), "fulfilled [1]"); placed == 0 {
			t.Errorf("seed %d: nobody traded: %q", seed+i, got)
		}
		for what, n := range counts {
			total[what] += n
		}
	}
	for _, what := range []string{"sent", "lost", "cut", "restarted", "crashed", "doubled", "overtaking"} {
		if total[what] == 0 {
			t.Errorf("nothing was %s: %v", what, total)
		}
	}
	t.Log(total)
}
