package warehouse

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Policy says when a heap snapshot is due. It is private: it changes what a
// page-in costs, and no outcome. Its text is count:2/200 (first after 2 deliveries,
// then every 200), fuel:50e6, bytes:1e6, cost, evict, idle or never; and triggers, joined
// by +: count:2/200+timer:60s. Triggers alone are beside never.
type Policy struct {
	// Rule is what is measured; "" means ByCount.
	Rule Rule
	// Initial is how many deliveries of an incarnation come before its first
	// snapshot; 0 means 2, Never means none is ever taken. It is for ByCount.
	Initial int
	// Interval is how many deliveries come between snapshots; 0 means 200. It is
	// for ByCount.
	Interval int
	// Amount is how many units of fuel, or bytes, come between snapshots, for
	// ByFuel and ByBytes: at least 1.
	Amount uint64
	// Also are events on which snapshots fall due beside.
	Also Triggers
}

// Rule is what a [Policy] measures.
type Rule string

// The rules.
const (
	// ByCount counts deliveries.
	ByCount Rule = "count"
	// ByFuel adds the fuel that a replay would use again.
	ByFuel Rule = "fuel"
	// ByBytes adds the bytes of deliveries, and of syscalls with their answers,
	// that a replay would read again.
	ByBytes Rule = "bytes"
	// ByCost takes a snapshot when the replay that it is expected to save costs
	// more than the snapshot does: see the package documentation.
	ByCost Rule = "cost"
	// OnEvict takes one of every vat that is evicted, if it has done anything
	// since its latest.
	OnEvict Rule = "evict"
	// OnIdle takes one of every paged-in vat that has done anything since its
	// latest, whenever the queues are empty.
	OnIdle Rule = "idle"
)

// Never as a Policy's Initial turns snapshots off.
const Never = -1

// The defaults of [Policy].
const (
	DefaultInitial  = 2
	DefaultInterval = 200
)

// neverText is the text of a policy that takes none.
const neverText = "never"

// ErrPolicy is returned for a text that is no policy.
var ErrPolicy = errors.New("want count:INITIAL/INTERVAL, fuel:UNITS, bytes:BYTES, " +
	"cost, evict, idle or never, and numbers from 1; first-message, before-device-call, " +
	"timer:DURATION and signal can be added with +")

// UnmarshalText reads a policy's text. After an error, which is an [ErrPolicy], p is what
// it was.
func (p *Policy) UnmarshalText(text []byte) error {
	read, ok := parsePolicy(string(text))
	if !ok {
		return fmt.Errorf("snapshots %q: %w", text, ErrPolicy)
	}
	*p = read
	return nil
}

func parsePolicy(text string) (p Policy, ok bool) {
	parts := strings.Split(text, "+")
	p, ok = parseRule(parts[0])
	if !ok {
		p = Policy{Initial: Never}
	} else {
		parts = parts[1:]
	}
	for _, part := range parts {
		if ok = p.Also.parse(part); !ok {
			return p, false
		}
	}
	return p, ok
}

func parseRule(text string) (p Policy, ok bool) {
	rule, number, numbered := strings.Cut(text, ":")
	p.Rule = Rule(rule)
	switch p.Rule {
	case neverText:
		return Policy{Initial: Never}, !numbered
	case ByCost, OnEvict, OnIdle:
		return p, !numbered
	case ByFuel, ByBytes:
		n, err := strconv.ParseFloat(number, 64)
		p.Amount = uint64(n)
		return p, err == nil && n >= 1 && n <= amountMax && n == float64(p.Amount)
	case ByCount:
		initial, interval, _ := strings.Cut(number, "/")
		var first, then error
		p.Initial, first = strconv.Atoi(initial)
		p.Interval, then = strconv.Atoi(interval)
		return p, first == nil && then == nil && p.Initial >= 1 && p.Interval >= 1
	}
	return p, false
}

// amountMax bounds Policy.Amount: up to it, every number is exact as it is read.
const amountMax = 1 << 53

// String returns the text that UnmarshalText reads.
func (p Policy) String() string {
	p = p.WithDefaults()
	texts := append([]string{p.ruleText()}, p.Also.texts()...)
	if texts[0] == neverText && len(texts) > 1 {
		texts = texts[1:]
	}
	return strings.Join(texts, "+")
}

func (p Policy) ruleText() string {
	switch p.Rule {
	case ByCount:
		if p.Initial == Never {
			return neverText
		}
		return fmt.Sprintf("%s:%d/%d", p.Rule, p.Initial, p.Interval)
	case ByFuel, ByBytes:
		return fmt.Sprintf("%s:%d", p.Rule, p.Amount)
	}
	return string(p.Rule)
}

// MarshalText returns the text that UnmarshalText reads.
func (p Policy) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// WithDefaults returns p with its defaults in place of what is zero.
func (p Policy) WithDefaults() Policy {
	if p.Rule == "" {
		p.Rule = ByCount
	}
	if p.Rule == ByCount && p.Initial == 0 {
		p.Initial = DefaultInitial
	}
	if p.Rule == ByCount && p.Interval == 0 {
		p.Interval = DefaultInterval
	}
	return p
}

// validate refuses what has no text.
func (p Policy) validate() error {
	if p.Initial == Never && p.Rule == ByCount {
		return nil
	}
	if got, ok := parsePolicy(p.String()); !ok || got != p {
		return fmt.Errorf("snapshots %+v: %w", p, ErrPolicy)
	}
	return nil
}

// moment is when it is asked whether a snapshot is due.
type moment int

const (
	delivered moment = iota // or paged in
	evicted
	idle
)

// standing is how far a vat is beyond its latest snapshot.
type standing struct {
	// start is where the incarnation began, snapshot how far its latest snapshot
	// reaches, or start if it has none, and end where the vat is.
	start, snapshot, end uint64
	since                work // since the snapshot

	// The rest, in fuel, is for ByCost. again is what replaying all since the snapshot would
	// cost, and total what replaying all deliveries of the vat would; price is what a
	// snapshot is expected to cost, and rent what page-ins have replayed since the latest,
	// with the one that would be next.
	again, total, price, rent uint64
	// wait is the part of the price that is saved by waiting until the vat is evicted again:
	// all but that of pages that are not written a second time by then.
	wait uint64
	// excess is how much more a page-in replays than it would under the default, and spare
	// what can be spent beyond what that costs.
	excess uint64
	spare  int64
}

// due reports whether a vat wants a snapshot at that moment.
func (p Policy) due(s standing, m moment) bool {
	if s.end == s.snapshot {
		return false
	}
	switch p.Rule {
	case ByFuel:
		return s.since.fuel >= p.Amount
	case ByBytes:
		return s.since.bytes >= p.Amount
	case ByCost:
		return s.pays(m)
	case OnEvict:
		return m == evicted
	case OnIdle:
		return m == idle
	}
	switch {
	case p.Initial == Never:
		return false
	case s.snapshot == s.start:
		return s.end-s.start >= uint64(p.Initial)
	}
	return s.end-s.snapshot >= uint64(p.Interval)
}

// pays reports whether a snapshot is worth its price.
//
// A vat that is evicted will be paged in again: when all that was replayed for want of a
// snapshot, and will be by the next page-in, costs as much as is saved by waiting, it is time
// for it. Of pages that are written all the time, one snapshot takes the place of several; if
// all are like that, never more than twice the least is spent, whatever comes, and if
// page-ins come evenly, it is the least. Pages that are not written again come into one
// snapshot, however long one waits for it, and until then are written by each replay.
//
// For a restart, which comes by chance, and is expected once in as long as the vat has
// run, it is Young's rule for the interval of checkpoints.
func (s standing) pays(m moment) bool {
	again := float64(s.again)
	wants := again*again/2 >= float64(s.price)*max(float64(s.total), again) ||
		m == evicted && s.rent >= s.wait
	if s.excess > 0 { // it lacks one that the default has: the price is put by
		return wants || m == evicted && s.spare < int64(s.excess)
	}
	return wants && s.spare >= int64(s.price)
}
