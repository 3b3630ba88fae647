package sim

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// selected parses a selector of a group of count vats, in a scope, and returns the
// indexes that it names.
func selected(t *testing.T, text string, count int, sc *scope) []int {
	t.Helper()
	c := &compiler{r: &reader{file: "x"}, groups: map[string]*group{"g": {name: "g", first: 10, count: count}}}
	s := c.parseSelector(nil, text, "icn")
	if c.r.err != nil {
		t.Fatalf("%s: %v", text, c.r.err)
	}
	indexes := []int{}
	for _, vat := range s.all(sc) {
		indexes = append(indexes, vat-10)
	}
	if len(indexes) > s.most() {
		t.Errorf("%s of %d names %v, at most %d", text, count, indexes, s.most())
	}
	if s.single() && (len(indexes) != 1 || indexes[0] != s.one(sc)-10) {
		t.Errorf("%s of %d is single, and names %v", text, count, indexes)
	}
	return indexes
}

// TestSelectors: every form, for all small groups, indexes and steps, against a
// walk around the group one vat at a time.
func TestSelectors(t *testing.T) {
	t.Parallel()
	for count := 1; count <= 7; count++ {
		all := []int{}
		for i := range count {
			all = append(all, i)
		}
		if got := selected(t, "g", count, &scope{}); !reflect.DeepEqual(got, all) {
			t.Errorf("g of %d: %v", count, got)
		}
		for i := range count {
			if got := selected(t, fmt.Sprintf("g.%d", i), count, &scope{}); !reflect.DeepEqual(got, []int{i}) {
				t.Errorf("g.%d of %d: %v", i, count, got)
			}
			for add := -9; add <= 9; add++ {
				checkTerms(t, count, i, add)
			}
		}
	}
}

// checkTerms checks g.$i+ADD and its like.
func checkTerms(t *testing.T, count, i, add int) {
	t.Helper()
	text := fmt.Sprintf("$i%+d", add)
	if add == 0 {
		text = "$i"
	}
	at := i
	for range max(add, -add) {
		if add > 0 {
			at = (at + 1) % count
		} else {
			at = (at + count - 1) % count
		}
	}
	sc := &scope{index: i, count: count, number: uint64(i), cycle: uint64(i)}
	for _, variable := range []string{"$i", "$n"} {
		form := "g." + strings.Replace(text, "$i", variable, 1)
		if got := selected(t, form, count, sc); !reflect.DeepEqual(got, []int{at}) {
			t.Errorf("%s of %d at %d: %v, want %d", form, count, i, got, at)
		}
	}
	for k := 1; k <= 4; k++ {
		want := []int{}
		for j := range count {
			if ((j-i-add)%k+k)%k == 0 {
				want = append(want, j)
			}
		}
		form := fmt.Sprintf("g.%s%%%d", text, k)
		if got := selected(t, form, count, sc); !reflect.DeepEqual(got, want) {
			t.Errorf("%s of %d at %d: %v, want %v", form, count, i, got, want)
		}
	}
}

// TestFarSelectors: numbers of messages that no one will ever send wrap around like
// any other.
func TestFarSelectors(t *testing.T) {
	t.Parallel()
	sc := &scope{number: messagesMax, count: 7}
	for text, want := range map[string]int{
		"g.$n": messagesMax % 7, "g.$n+1099511627776": (messagesMax + addMax) % 7,
		"g.$n-1099511627776": (messagesMax - addMax) % 7, "g.$count": 0, "g.$count-1": 6,
	} {
		if got := selected(t, text, 7, sc); !reflect.DeepEqual(got, []int{want}) {
			t.Errorf("%s: %v, want %d", text, got, want)
		}
	}
}

// TestTerms: what is a variable with something added, and what is not.
func TestTerms(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]term{
		"$i": {ownIndex, 0}, "$i+1": {ownIndex, 1}, "$i-1": {ownIndex, -1}, "$n+1_000": {messageNo, 1000},
		"$count": {ownCount, 0}, "$count-2": {ownCount, -2}, "$i+1099511627776": {ownIndex, addMax},
	} {
		if got, ok := parseTerm(text, "icn"); !ok || got != want {
			t.Errorf("%s: %+v, %v, want %+v", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", "$", "i", "$x", "$i+", "$i-", "$i+-1", "$i++1", "$i+01", "$i+x", "$i 1", "$i+1+1", "$i+1099511627777",
		"$i*2", "$ii", "$count1", "$peer", "1", "+1", "-1",
	} {
		if got, ok := parseTerm(text, "icn"); ok {
			t.Errorf("%q is %+v", text, got)
		}
	}
	for _, known := range []string{"", "i", "ic"} {
		if _, ok := parseTerm("$n", known); ok {
			t.Errorf("$n is known among %q", known)
		}
	}
}

// TestDecimal: plain decimal numbers of 64 bits, and nothing that another reader
// of YAML might read differently.
func TestDecimal(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]uint64{
		"0": 0, "7": 7, "10": 10, "1_000": 1000, "18446744073709551615": 1<<64 - 1, "1_0_0": 100,
	} {
		if got, ok := decimal(text); !ok || got != want {
			t.Errorf("%s: %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{"", "_", "00", "01", "+1", "-1", "0x1", "0b1", "0o1", "1e3", "1.0", " 1", "1 ",
		"18446744073709551616", "١"} {
		if got, ok := decimal(text); ok {
			t.Errorf("%q is %d", text, got)
		}
	}
}
