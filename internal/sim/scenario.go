package sim

import (
	"fmt"

	"vatwarehouse/swing"
)

// The bounds of a scenario.
const (
	vatsMax     = 100_000 // vats in all
	groupsMax   = 1_000
	entriesMax  = 1_000   // of setup, of the workload
	burstMax    = 100_000 // messages sent at once by one entry
	messagesMax = 1 << 50
	nameMax     = 100 // bytes of a group's name
)

// Scenario is a file that was read and is valid: every name in it is resolved.
type Scenario struct {
	// Name is the built-in scenario's, or the path of the file.
	Name string
	// About says in a line what it is.
	About string
	// Seed is observable: it is the kernel's, and that of all that is drawn.
	Seed string
	// Options are what the scenario suggests. They are private.
	Options Options
	// Length says when it ends.
	Length Length
	// Text is the file.
	Text []byte

	programs []program
	things   []thing
	clock    clock // step 0 is no clock
	groups   []*group
	members  []member // all vats, in the order in which they are made
	setup    []setup
	workload []entry
	audit    audit
	shape    []byte     // of what is observable, however it is written
	needs    needs      // of limits
	stored   swing.Hash // the identity, of a scenario that came from a directory
}

// needs are the most that messages of a scenario take.
type needs struct{ body, slots, method int }

// fits refuses limits that are too small for what the scenario sends: it must not
// find out in the middle of a burst.
func (s *Scenario) fits(l swing.Limits) error {
	if s.needs.body > l.BodyBytes || s.needs.slots > l.Slots || s.needs.method > l.MethodBytes {
		return fmt.Errorf("messages of %d bytes, %d slots and method names of %d bytes: "+
			"the limits are %d, %d and %d", s.needs.body, s.needs.slots, s.needs.method,
			l.BodyBytes, l.Slots, l.MethodBytes)
	}
	return nil
}

// Options are what a scenario suggests for the host. 0 leaves it to the host.
type Options struct {
	MaxVats          int
	SnapshotInitial  int // SnapshotNever is never
	SnapshotInterval int
	Block            int // cranks
}

// SnapshotNever as Options.SnapshotInitial turns snapshots off.
const SnapshotNever = -1

// Length says when a scenario ends: when so many deliveries have been made in
// all, or so many messages of the workload sent. 0 is no bound.
type Length struct {
	Deliveries uint64
	Messages   uint64
}

// program is a module that vats run.
type program struct {
	name string
	path string // of an own program, relative to the scenario; "" is a built-in one
	code []byte
}

// group is vats that were made alike.
type group struct {
	name    string
	program int // in programs
	first   int // the number of its first vat
	count   int
	numbers bool // its vats' names end in their index
	args    []value

	meter                            int // in things; -1 is none
	pipelining, critical, quarantine bool
}

// vatName returns the name of the i-th vat of a group.
func (g *group) vatName(i int) string {
	if !g.numbers {
		return g.name
	}
	return fmt.Sprintf("%s.%d", g.name, i)
}

// member is one vat of a group.
type member struct {
	group *group
	index int
}

// call is a method and its arguments.
type call struct {
	method string
	args   []value
}

// setup is a message that is sent once to each of some vats.
type setup struct {
	call
	to []int
}

// pattern says which vat a message of the workload goes to.
type pattern string

// The patterns.
const (
	roundRobin pattern = "round-robin" // one after the other
	random     pattern = "random"      // any of them, drawn
	byZipf     pattern = "zipf"        // drawn, the k-th with weight 1/k
	pairs      pattern = "pairs"       // two of them, drawn: one gets it, and is told of the other
	fanOut     pattern = "fan-out"     // one after the other, and to all the same
)

var patterns = []pattern{roundRobin, random, byZipf, pairs, fanOut}

// entry is one part of the workload.
type entry struct {
	call
	section  string // "workload.0"
	to       []int
	pattern  pattern
	messages uint64 // 0 is no end
	burst    uint64 // sent in one round
	zipf     zipf
}

// Vats returns how many vats the scenario makes.
func (s *Scenario) Vats() int { return len(s.members) }

// Groups lists the groups of vats: name, program, count.
func (s *Scenario) Groups() (all []Group) {
	for _, g := range s.groups {
		all = append(all, Group{g.name, s.programs[g.program].name, g.count})
	}
	return all
}

// Group is what Groups tells of one.
type Group struct {
	Name, Program string
	Count         int
}

// WithSeed returns the scenario with another seed.
func (s *Scenario) WithSeed(seed string) *Scenario {
	with := *s
	with.Seed, with.stored = seed, swing.Hash{}
	return &with
}

// Identity is the hash of everything in a scenario that is observable: the
// seed, own programs, vats, setup, workload and audit. Comments, layout, options
// and length are not in it, nor are the bytes of built-in programs.
func (s *Scenario) Identity() swing.Hash {
	if !s.stored.IsZero() {
		return s.stored
	}
	parts := [][]byte{[]byte(s.Seed), s.shape}
	for _, p := range s.programs {
		if p.path != "" {
			code := swing.Sum("vatwarehouse scenario program", p.code)
			parts = append(parts, []byte(p.name), code[:])
		}
	}
	return swing.Sum("vatwarehouse scenario", parts...)
}

// HasVat reports whether the scenario makes a vat of that name, or id.
func (s *Scenario) HasVat(nameOrID string) bool {
	if id := swing.VatID(nameOrID); id.Validate() == nil {
		return id.Number() <= uint64(len(s.members))
	}
	for _, v := range s.members {
		if v.group.vatName(v.index) == nameOrID {
			return true
		}
	}
	return false
}

// fillSetup makes the message that a setup sends to the i-th of its targets.
func (s *Scenario) fillSetup(m *message, sc *scope, k, i int) {
	e := &s.setup[k]
	m.target, m.method = e.to[i], e.method
	to := s.members[m.target]
	sc.index, sc.count, sc.cycle = to.index, to.group.count, uint64(to.index)
	sc.draw.seed(s.Seed, fmt.Sprintf("setup.%d", k), uint64(i))
	m.write(e.args, sc)
}

// fillStart makes the parameters of the i-th vat's start.
func (s *Scenario) fillStart(m *message, sc *scope, i int) {
	vat := s.members[i]
	m.target = i
	sc.index, sc.count, sc.cycle = vat.index, vat.group.count, uint64(vat.index)
	sc.draw.seed(s.Seed, "vats."+vat.group.name, uint64(vat.index))
	m.write(vat.group.args, sc)
}

// fillWork makes message n of an entry of the workload.
func (s *Scenario) fillWork(m *message, sc *scope, e *entry, n uint64) {
	count := uint64(len(e.to))
	drawn := n
	if e.pattern == fanOut {
		drawn = n / count
	}
	sc.draw.seed(s.Seed, e.section, drawn)
	m.target, sc.peer = e.aim(n, sc.draw)
	m.method = e.method
	to := s.members[m.target]
	sc.index, sc.count, sc.number, sc.cycle = to.index, to.group.count, n, drawn
	m.write(e.args, sc)
}

// aim chooses the target of message n, and in pairs the other one.
func (e *entry) aim(n uint64, d *draw) (target, peer int) {
	count := uint64(len(e.to))
	switch e.pattern {
	case random:
		return e.to[d.below(count)], 0
	case byZipf:
		return e.to[e.zipf.rank(d)], 0
	case pairs:
		a := d.below(count)
		b := d.below(count - 1)
		if b >= a {
			b++
		}
		return e.to[a], e.to[b]
	}
	return e.to[n%count], 0
}
