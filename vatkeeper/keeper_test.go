package vatkeeper_test

import (
	"errors"
	"maps"
	"slices"
	"sort"
	"strings"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
)

// rows is the dumbest KV.
type rows map[string]string

func (r rows) Get(key string) ([]byte, bool) { v, ok := r[key]; return []byte(v), ok }
func (r rows) Set(key string, value []byte)  { r[key] = string(value) }
func (r rows) Delete(key string)             { delete(r, key) }
func (r rows) Next(after, end string) (string, bool) {
	keys := slices.Sorted(maps.Keys(r))
	i := sort.SearchStrings(keys, after+"\x00")
	if i == len(keys) || (end != "" && keys[i] >= end) {
		return "", false
	}
	return keys[i], true
}

func newVat(r rows) vatkeeper.Keeper {
	k := vatkeeper.New("v1", r)
	k.Create(vatkeeper.Options{Name: "bob", Code: swing.Sum("code"), Seed: swing.Sum("seed")})
	k.AddRoot("ko20")
	return k
}

type (
	kdelivery = swing.Delivery[swing.KRef]
	vsyscall  = swing.Syscall[swing.VRef]
)

func exchange(s vsyscall) transcript.Exchange {
	return transcript.Exchange{Op: s.Op, Request: swing.AppendRequest(nil, s)}
}

func message(refs ...swing.KRef) kdelivery {
	return kdelivery{Kind: swing.DeliverMessage, Target: "ko20", Message: swing.Message[swing.KRef]{
		Args: swing.CapData[swing.KRef]{Slots: refs},
	}}
}

// TestRowsRoundTrip: what is written is read back, and a vat is alive until its end.
func TestRowsRoundTrip(t *testing.T) {
	r := rows{}
	if vatkeeper.New("v1", r).Alive() {
		t.Fatal("a vat nobody made is alive")
	}
	k := newVat(r)
	o, ok := k.Options()
	if !ok || o.Name != "bob" || o.Code != swing.Sum("code") || o.Seed != swing.Sum("seed") {
		t.Errorf("options %v, %v", o, ok)
	}
	s := transcript.Span{Incarnation: 1, Start: 2, End: 300, Hash: swing.Sum("h")}
	k.SetSpan(s)
	if got := k.Span(); got != s {
		t.Errorf("span %v, want %v", got, s)
	}
	if _, ended := k.End(); ended || !k.Alive() {
		t.Error("dead before its end")
	}
	k.SetEnd(vatkeeper.End{Failure: true, Info: swing.ReferenceTo(swing.KRef("ko20"))})
	if e, ended := k.End(); !ended || !e.Failure || e.Info.Slots[0] != "ko20" || k.Alive() {
		t.Errorf("end %v, %v; alive %v", e, ended, k.Alive())
	}
	if _, ok := vatkeeper.New("v2", r).Options(); ok {
		t.Error("v2 has options")
	}
}

// TestInAllocatesImportsOnce: a reference met twice keeps its vref, counts are
// returned once, and the vat's own export comes back as itself.
func TestInAllocatesImportsOnce(t *testing.T) {
	k := newVat(rows{})
	d, changes := k.In(message("ko21", "kp40", "ko21", "ko20", "ko22"))
	want := []swing.VRef{"o-50", "p-60", "o-50", "o+0", "o-51"}
	if !slices.Equal(d.Message.Args.Slots, want) || d.Target != "o+0" {
		t.Fatalf("slots %v, target %s", d.Message.Args.Slots, d.Target)
	}
	wantChanges := []vatkeeper.RefChange{
		{Ref: "ko21", Imports: 1, Reachable: 1, Recognizable: 1},
		{Ref: "kp40", Reachable: 1, Recognizable: 1},
		{Ref: "ko22", Imports: 1, Reachable: 1, Recognizable: 1},
	}
	if !slices.Equal(changes, wantChanges) {
		t.Errorf("changes %v", changes)
	}
	if _, changes := k.In(message("ko21")); len(changes) != 0 {
		t.Errorf("a known reference changes %v", changes)
	}
}

// TestNotifyLeavesTheCList: promises told of are translated first and retired
// after, also those the vat had never heard of; the net change of those is none.
func TestNotifyLeavesTheCList(t *testing.T) {
	k := newVat(rows{})
	k.In(message("kp40"))
	d, changes := k.In(kdelivery{Kind: swing.DeliverNotify, Resolutions: []swing.Resolution[swing.KRef]{
		{Promise: "kp40", Data: swing.CapData[swing.KRef]{Slots: []swing.KRef{"kp41"}}},
		{Promise: "kp41", Data: swing.CapData[swing.KRef]{Slots: []swing.KRef{"kp40"}}},
	}})
	if d.Resolutions[0].Data.Slots[0] != "p-61" || d.Resolutions[1].Data.Slots[0] != "p-60" {
		t.Errorf("resolutions %v", d.Resolutions)
	}
	net := map[swing.KRef]int{}
	for _, c := range changes {
		net[c.Ref] += c.Reachable
	}
	if net["kp40"] != -1 || net["kp41"] != 0 {
		t.Errorf("net changes %v", net)
	}
	for e := range k.Promises() {
		t.Errorf("%v is still in the c-list", e)
	}
}

// TestOutAllocatesExports: a new vref gets the next kref, New, once; a promise
// counts one holder and an object none.
func TestOutAllocatesExports(t *testing.T) {
	k := newVat(rows{})
	k.In(message("ko21"))
	a := &vatkeeper.Allocation{NextObject: 30, NextPromise: 50}
	s, changes, err := k.Out(0, exchange(vsyscall{
		Op: swing.OpSend, Target: "o-50", Message: swing.Message[swing.VRef]{
			Result: "p+1", Args: swing.CapData[swing.VRef]{Slots: []swing.VRef{"o+7", "o+7", "o+d3/4:1"}},
		},
	}), swing.DefaultLimits(), a)
	if err != nil {
		t.Fatal(err)
	}
	if s.Target != "ko21" || s.Message.Result != "kp50" ||
		!slices.Equal(s.Message.Args.Slots, []swing.KRef{"ko30", "ko30", "ko31"}) {
		t.Errorf("syscall %v", s)
	}
	want := []vatkeeper.RefChange{
		{Ref: "ko30", New: true}, {Ref: "ko31", New: true},
		{Ref: "kp50", New: true, Reachable: 1, Recognizable: 1},
	}
	if !slices.Equal(changes, want) || a.NextObject != 32 || a.NextPromise != 51 {
		t.Errorf("changes %v, allocation %v", changes, a)
	}
	back, _ := k.In(message("ko30", "kp50"))
	if !slices.Equal(back.Message.Args.Slots, []swing.VRef{"o+7", "p+1"}) {
		t.Errorf("came back as %v", back.Message.Args.Slots)
	}
}

// TestOutRetiresAfterTranslating: the data of one resolution may mention a
// promise that the same batch resolves.
func TestOutRetiresAfterTranslating(t *testing.T) {
	k := newVat(rows{})
	a := &vatkeeper.Allocation{NextObject: 30, NextPromise: 50}
	s, _, err := k.Out(0, exchange(vsyscall{Op: swing.OpResolve, Resolutions: []swing.Resolution[swing.VRef]{
		{Promise: "p+1", Data: swing.CapData[swing.VRef]{Slots: []swing.VRef{"p+2"}}},
		{Promise: "p+2", Data: swing.CapData[swing.VRef]{Slots: []swing.VRef{"p+1"}}},
	}}), swing.DefaultLimits(), a)
	if err != nil || s.Resolutions[1].Data.Slots[0] != s.Resolutions[0].Promise {
		t.Fatalf("%v, %v", s, err)
	}
	for e := range k.Promises() {
		t.Errorf("%v is still in the c-list", e)
	}
}

// TestIllegalNamesTheSyscall: the error is typed and says index, syscall, rule.
func TestIllegalNamesTheSyscall(t *testing.T) {
	k := newVat(rows{})
	_, _, err := k.Out(7, exchange(vsyscall{Op: swing.OpSubscribe, Target: "p-99"}),
		swing.DefaultLimits(), &vatkeeper.Allocation{})
	var illegal *vatkeeper.IllegalError
	if !errors.As(err, &illegal) || illegal.Syscall != 7 || illegal.Op != swing.OpSubscribe ||
		!strings.Contains(err.Error(), "syscall 7 (subscribe): p-99 is not in the c-list") {
		t.Errorf("got %v", err)
	}
}

// TestVatstoreStaysInside: neighbours in key order do not see each other.
func TestVatstoreStaysInside(t *testing.T) {
	r := rows{}
	one, ten := newVat(r).Vatstore(100), vatkeeper.New("v10", r).Vatstore(100)
	one.Set([]byte("k"), []byte("1"))
	ten.Set([]byte("k"), []byte("10"))
	if v, _ := one.Get([]byte("k")); string(v) != "1" {
		t.Errorf("v1's k is %q", v)
	}
	if next, ok := one.Next([]byte("k")); ok {
		t.Errorf("v1 sees %q after its last key", next)
	}
	if next, ok := ten.Next(nil); !ok || string(next) != "k" {
		t.Errorf("v10's first key is %q", next)
	}
	one.Delete([]byte("k"))
	if _, ok := one.Get([]byte("k")); ok {
		t.Error("deleted, and there")
	}
}

// TestDamagedRowsPanic: rows that we wrote wrong are ours, and say which.
func TestDamagedRowsPanic(t *testing.T) {
	for suffix, read := range map[string]func(vatkeeper.Keeper){
		".o": func(k vatkeeper.Keeper) { k.Options() },
		".s": func(k vatkeeper.Keeper) { k.Span() },
		".d": func(k vatkeeper.Keeper) { k.Dirt() },
		".i": func(k vatkeeper.Keeper) { k.In(message("ko99")) },
	} {
		r := rows{}
		k := newVat(r)
		r["v1"+suffix] = "\xff"
		func() {
			defer func() {
				if p, _ := recover().(*vatkeeper.RowError); p == nil || p.Key != "v1"+suffix || !strings.Contains(p.Error(), "v1"+suffix) {
					t.Errorf("%s: panic %v", suffix, p)
				}
			}()
			read(k)
		}()
	}
	defer func() {
		if p, _ := recover().(*vatkeeper.RowError); p == nil || !strings.Contains(p.Error(), "no bijection") {
			t.Errorf("panic %v", p)
		}
	}()
	r := rows{}
	k := newVat(r)
	r["v1.r.o+5"] = "ko20"
	k.ByVRef("o+5")
}

// TestDeliveriesToOthersPanic: a message for what the vat does not export is a
// fault of the kernel's.
func TestDeliveriesToOthersPanic(t *testing.T) {
	defer func() {
		if p, _ := recover().(string); !strings.Contains(p, "ko77") {
			t.Errorf("panic %q", p)
		}
	}()
	d := message()
	d.Target = "ko77"
	newVat(rows{}).In(d)
}
