package sim

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
)

// equation is a check twice: as a scenario has it, and as numbers of any size.
type equation struct {
	text  string
	sides []func(i int) *big.Int // nil: there is no such number
}

// random equations over groups whose answers are known: values[group][vat][field].
func randomEquation(rng *rand.Rand, values [][][]any, each int) (e equation) {
	var texts []string
	for range 2 + rng.IntN(2) {
		var parts []string
		var sums []func(i int) *big.Int
		for range 1 + rng.IntN(3) {
			text, f := randomAddend(rng, values, each)
			parts, sums = append(parts, text), append(sums, f)
		}
		texts = append(texts, strings.Join(parts, " + "))
		e.sides = append(e.sides, func(i int) *big.Int {
			total := new(big.Int)
			for _, f := range sums {
				v := f(i)
				if v == nil || v.BitLen() > 64 {
					return nil
				}
				if total.Add(total, v); total.BitLen() > 64 {
					return nil
				}
			}
			return total
		})
	}
	e.text = "[\"" + strings.Join(texts, "\", \"") + "\"]"
	return e
}

func randomAddend(rng *rand.Rand, values [][][]any, each int) (string, func(i int) *big.Int) {
	if rng.IntN(6) == 0 {
		n := rng.Uint64() >> (1 + rng.IntN(63))
		return fmt.Sprint(n), func(int) *big.Int { return new(big.Int).SetUint64(n) }
	}
	if rng.IntN(8) == 0 {
		return "$messages", func(int) *big.Int { return big.NewInt(7) }
	}
	g, field := rng.IntN(len(values)), rng.IntN(2)
	count := len(values[g])
	text, chosen := fmt.Sprintf("g%d", g), func(i, j int) bool { return true }
	switch k := rng.IntN(4); {
	case k == 0 && count > 1:
		at := rng.IntN(count)
		text, chosen = fmt.Sprintf("g%d.%d", g, at), func(_, j int) bool { return j == at }
	case k == 1 && each >= 0:
		add := rng.IntN(9) - 4
		text = fmt.Sprintf("g%d.$i%+d", g, add)
		chosen = func(i, j int) bool { return j == wrap(i+add, count) }
	case k == 2 && each >= 0:
		step := 1 + rng.IntN(3)
		text = fmt.Sprintf("g%d.$i%%%d", g, step)
		chosen = func(i, j int) bool { return j%step == i%step }
	}
	return fmt.Sprintf("%s.f%d", text, field), func(i int) *big.Int {
		total := new(big.Int)
		for j, answer := range values[g] {
			if !chosen(i, j) {
				continue
			}
			if field >= len(answer) {
				return nil
			}
			n, ok := answer[field].(uint64)
			if !ok {
				return nil
			}
			if total.Add(total, new(big.Int).SetUint64(n)); total.BitLen() > 64 {
				return nil
			}
		}
		return total
	}
}

// randomAnswers makes answers of which some are no numbers, or are not there, and
// many are equal.
func randomAnswers(rng *rand.Rand) (values [][][]any) {
	for range 1 + rng.IntN(3) {
		var group [][]any
		for range 1 + rng.IntN(4) {
			n := []any{uint64(rng.IntN(3)), uint64(rng.IntN(2))}
			switch rng.IntN(30) {
			case 0:
				n[0] = "text"
			case 1:
				n = n[:1]
			case 2:
				n[1] = uint64(1<<64 - 1)
			}
			group = append(group, n)
		}
		values = append(values, group)
	}
	return values
}

// TestChecksAgainstTwin: random equations over random answers hold, or are broken
// as often as a twin with numbers of any size says, which adds up vat by vat.
func TestChecksAgainstTwin(t *testing.T) {
	t.Parallel()
	held, broke := 0, 0
	for seed := range uint64(1500) {
		rng := rand.New(rand.NewPCG(seed, 21))
		values := randomAnswers(rng)
		var b strings.Builder
		b.WriteString("about: a\nseed: s\nvats:\n")
		for g := range values {
			fmt.Fprintf(&b, "  - {name: g%d, program: counter, count: %d}\n", g, len(values[g]))
		}
		b.WriteString("workload:\n  - {to: g0, method: m, messages: 7}\naudit:\n  ask:\n")
		for g := range values {
			fmt.Fprintf(&b, "    - {to: g%d, method: m, answers: [f0, f1]}\n", g)
		}
		each, forEach := rng.IntN(len(values)+1)-1, ""
		if each >= 0 {
			forEach = fmt.Sprintf("each: g%d, ", each)
		}
		e := randomEquation(rng, values, each)
		fmt.Fprintf(&b, "  check:\n    - {about: it, %sequal: %s}\n", forEach, e.text)
		s, err := Parse("made.yaml", []byte(b.String()))
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, b.String())
		}
		a := answers{s: s, messages: 7, byVat: map[int]answer{}}
		vat := 0
		for _, group := range values {
			for _, n := range group {
				a.byVat[vat] = answer{values: n}
				vat++
			}
		}
		want, cases := 0, 1
		if each >= 0 {
			cases = len(values[each])
		}
		for i := range cases {
			first := e.sides[0](i)
			holds := first != nil
			for _, side := range e.sides[1:] {
				v := side(i)
				holds = holds && v != nil && v.Cmp(first) == 0
			}
			if !holds {
				want++
			}
		}
		got := a.report(0).Checks[0]
		if got.Broken != want || got.Cases != cases || (got.First == "") != (want == 0) {
			t.Fatalf("seed %d: %+v, want %d broken of %d\n%s", seed, got, want, cases, b.String())
		}
		held, broke = held+cases-want, broke+want
	}
	if held < 100 || broke < 100 {
		t.Errorf("%d held and %d broke: the equations say little", held, broke)
	}
}
