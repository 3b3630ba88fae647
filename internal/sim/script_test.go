package sim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

// twinScript sends everything in the plainest way, round after round, counting as
// it goes, and returns what each step sends: "entry message", in order.
func twinScript(setups []int, messages, bursts []int, most, rounds int) (steps [][]string, sent []int) {
	total := 0
	for k, targets := range setups {
		var step []string
		for i := range targets {
			step = append(step, fmt.Sprintf("setup.%d %d", k, i))
		}
		steps, sent = append(steps, step), append(sent, 0)
	}
	done := make([]int, len(messages))
	for range rounds {
		var step []string
		sent = append(sent, total)
		for e := range messages {
			for range bursts[e] {
				if messages[e] > 0 && done[e] == messages[e] || most > 0 && total == most {
					break
				}
				step = append(step, fmt.Sprintf("workload.%d %d", e, done[e]))
				done[e]++
				total++
			}
		}
		steps = append(steps, step)
	}
	return steps, sent
}

// TestStepsAgainstTwin: which messages each step sends, and how many are counted
// as sent before it, for random entries, bursts, numbers of messages and lengths.
func TestStepsAgainstTwin(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 9))
		var b strings.Builder
		b.WriteString("about: a\nseed: s\nvats:\n  - {name: a, program: counter, count: 4}\nsetup:\n")
		var setups, messages, bursts []int
		for k := range rng.IntN(3) {
			targets := 1 + rng.IntN(3)
			names := strings.Repeat("a.0, ", targets)
			fmt.Fprintf(&b, "  - {to: [%s], method: setup.%d, args: []}\n", names, k)
			setups = append(setups, targets)
		}
		if len(setups) == 0 {
			b.Reset()
			b.WriteString("about: a\nseed: s\nvats:\n  - {name: a, program: counter, count: 4}\n")
		}
		b.WriteString("workload:\n")
		for e := range 1 + rng.IntN(3) {
			messages, bursts = append(messages, rng.IntN(20)), append(bursts, 1+rng.IntN(6))
			limit := ""
			if messages[e] > 0 {
				limit = fmt.Sprintf(", messages: %d", messages[e])
			}
			fmt.Fprintf(&b, "  - {to: a, method: workload.%d, args: [$n], burst: %d%s}\n", e, bursts[e], limit)
		}
		most := rng.IntN(40)
		if most > 0 {
			fmt.Fprintf(&b, "length: {messages: %d}\n", most)
		} else {
			b.WriteString("length: {deliveries: 1}\n")
		}
		s, err := Parse("made.yaml", []byte(b.String()))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, b.String())
		}
		steps, sent := twinScript(setups, messages, bursts, most, 30)
		for k := range steps {
			var got []string
			more, err := s.step(uint64(k), func(m *message) error {
				at := strings.Count(strings.Join(got, "\n")+"\n", m.method+" ")
				if strings.HasPrefix(m.method, "workload") {
					v, _ := decodeBody(m.body)
					at = int(v.([]any)[0].(uint64))
				}
				got = append(got, fmt.Sprintf("%s %d", m.method, at))
				return nil
			})
			if err != nil || !reflect.DeepEqual(got, steps[k]) || more != (len(steps[k]) > 0) {
				t.Fatalf("seed %d, step %d: %v, more %v, %v\nwant %v\n%s",
					seed, k, got, more, err, steps[k], b.String())
			}
			if n := s.messagesBefore(uint64(k)); n != uint64(sent[k]) {
				t.Fatalf("seed %d, step %d: %d messages before, want %d\n%s", seed, k, n, sent[k], b.String())
			}
		}
	}
}

// TestStepStopsAtAFault: when a message cannot be sent, the rest of the step is
// not tried.
func TestStepStopsAtAFault(t *testing.T) {
	t.Parallel()
	s, err := Builtin("ring")
	if err != nil {
		t.Fatal(err)
	}
	for k, sent := range []int{50, 5} {
		boom, n := errors.New("boom"), 0
		more, err := s.step(uint64(k), func(*message) error {
			if n++; n == sent {
				return boom
			}
			return nil
		})
		if !errors.Is(err, boom) || !more || n != sent {
			t.Errorf("step %d: %v, more %v, after %d", k, err, more, n)
		}
	}
}

// TestFarRounds: no number of rounds overflows, up to the largest that a note
// could hold.
func TestFarRounds(t *testing.T) {
	t.Parallel()
	text := "about: a\nseed: s\nvats:\n  - {name: a, program: counter}\n" +
		"workload:\n  - {to: a, method: m, burst: 100000}\n  - {to: a, method: m, messages: 3, burst: 2}\n" +
		"length: {deliveries: 5}\n"
	s, err := Parse("x.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []uint64{1 << 32, 1 << 50, 1 << 63, 1<<64 - 1} {
		if n := s.sentBefore(r); n < 1<<32 || n > 2*messagesMax {
			t.Errorf("%d messages in %d rounds", n, r)
		}
	}
	if shares := s.round(1 << 60); shares != nil {
		t.Errorf("round 2^60 sends %v", shares)
	}
}

// TestRoundsAddUp: for random workloads, what the rounds send is what is counted
// as sent before the next, each entry's messages follow on from its last, and once
// a round sends nothing no later one does.
func TestRoundsAddUp(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 31))
		s := &Scenario{Length: Length{Messages: uint64(rng.IntN(300))}}
		for range 1 + rng.IntN(6) {
			s.workload = append(s.workload, entry{
				burst: 1 + uint64(rng.IntN(20)), messages: uint64(rng.IntN(90)),
			})
		}
		next := map[*entry]uint64{}
		over := false
		for r := range uint64(60) {
			before, sent := s.sentBefore(r), uint64(0)
			for _, sh := range s.round(r) {
				if sh.from != next[sh.entry] || sh.to <= sh.from || sh.to-sh.from > sh.entry.burst || over {
					t.Fatalf("seed %d, round %d: %d to %d after %d", seed, r, sh.from, sh.to, next[sh.entry])
				}
				next[sh.entry] = sh.to
				sent += sh.to - sh.from
			}
			over = over || sent == 0
			if s.sentBefore(r+1) != before+sent {
				t.Fatalf("seed %d, round %d: %d before, %d sent, %d after", seed, r, before, sent, s.sentBefore(r+1))
			}
		}
		if s.Length.Messages > 0 && s.sentBefore(1<<40) > s.Length.Messages {
			t.Fatalf("seed %d: %d messages of %d", seed, s.sentBefore(1<<40), s.Length.Messages)
		}
	}
}
