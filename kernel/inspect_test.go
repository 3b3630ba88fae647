package kernel_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// randomWorld is six random vats; every so many cranks they are looked at.
func randomWorld(t *testing.T, seed uint64, cranks, every int, look func(m *monitor)) {
	m, roots := newMonitor(t, rand.NewPCG(seed, 9))
	m.checkEvery = 1 << 30
	for m.cranks = range cranks {
		if m.crank().Kind == kernel.Idle {
			m.stimulate(roots)
		}
		if m.cranks%7 == 0 {
			m.holdOne(roots)
		}
		if m.cranks%every == 0 {
			look(m)
		}
	}
}

// holdOne holds a vat, or lets one go.
func (m *monitor) holdOne(roots []swing.KRef) {
	vat := swing.VatIDOf(uint64(1 + m.rng.IntN(len(roots))))
	if _, held := kernel.Held(m.b, vat); held {
		_ = m.k.Unhold(m.b, vat)
	} else if m.rng.IntN(4) == 0 {
		_ = m.k.Hold(m.b, vat)
	}
}

// named returns the references among the keys that begin with a prefix, by number.
func named(keys []string, prefix string) (refs []swing.KRef) {
	for _, key := range keys {
		if ref := swing.KRef(key); strings.HasPrefix(key, prefix) && ref.Validate() == nil {
			refs = append(refs, ref)
		}
	}
	slices.SortFunc(refs, func(a, b swing.KRef) int { return int(a.Number()) - int(b.Number()) })
	return refs
}

// TestInspectionEqualsAScan: in random worlds, what the queries say is what a scan of
// all rows says: which objects and promises there are, the first of them and how many
// more, who imports an object, and what is in the queues; and they write nothing.
func TestInspectionEqualsAScan(t *testing.T) {
	t.Parallel()
	looked, imports, events := 0, 0, map[string]int{}
	for seed := range uint64(6) {
		randomWorld(t, seed, 600, 31, func(m *monitor) {
			looked++
			before := maps.Clone(m.b.rows)
			keys := slices.Sorted(maps.Keys(m.b.rows))
			for kind, prefix := range map[swing.RefKind]string{swing.Object: "ko", swing.Promise: "kp"} {
				all := named(keys, prefix)
				for _, most := range []int{0, 1, 3, len(all), len(all) + 5} {
					refs, more := kernel.Least(kernel.References(m.b, kind), most)
					if want := all[:min(most, len(all))]; !slices.Equal(refs, want) || more != len(all)-len(want) {
						t.Fatalf("the first %d: %v and %d more, of %v", most, refs, more, all)
					}
				}
			}
			for _, ref := range named(keys, "ko") {
				imports += m.sameImporters(keys, ref)
			}
			m.sameQueues(events)
			if !maps.Equal(before, m.b.rows) {
				t.Fatal("a query wrote something")
			}
		})
	}
	if looked < 100 || imports < 1000 || events["gc"] < 50 ||
		events["acceptance"]+events["run"]+events["held"] < 300 {
		t.Errorf("looked %d times at %d imports and %v: too few", looked, imports, events)
	}
}

func (m *monitor) sameImporters(keys []string, ref swing.KRef) int {
	o, ok := kernel.LookupObject(m.b, ref)
	if !ok {
		m.t.Fatalf("no %s", ref)
	}
	var want []kernel.Import
	for _, key := range keys {
		vat, part, rest, ok := vatkeeper.ParseKey(key)
		if !ok || part != vatkeeper.PartCList || rest != string(ref) {
			continue
		}
		e, _ := vatkeeper.New(vat, m.b).ByKRef(ref)
		if e.VRef.Exported() {
			if o.Owner != vat {
				m.t.Fatalf("%s is owned by %s, exported by %s", ref, o.Owner, vat)
			}
			continue
		}
		want = append(want, kernel.Import{Vat: vat, VRef: e.VRef, Reachable: e.Reachable})
	}
	if got := kernel.Importers(m.b, o, 100); !slices.Equal(got, want) {
		m.t.Fatalf("%+v: imported by %v, want %v", o, got, want)
	}
	if got := kernel.Importers(m.b, o, 2); !slices.Equal(got, want[:min(2, len(want))]) {
		m.t.Fatalf("%+v: imported by %v, want 2 of %v", o, got, want)
	}
	return len(want)
}

// setRow is the key of the row that an event of a set stands for, or "".
func setRow(name string, e kernel.Event) string {
	switch name {
	case "gc":
		kind := map[string]int{"dropExports": 4, "retireExports": 5, "retireImports": 6}[e.Kind]
		return fmt.Sprintf("gc.%016x.%d.%016x", e.Vat.Number(), kind, e.Target.Number())
	case "reap":
		return fmt.Sprintf("reap.%016x", e.Vat.Number())
	}
	return ""
}

// sameQueues counts the events by the names of their queues.
func (m *monitor) sameQueues(counts map[string]int) {
	total := 0
	for _, q := range kernel.Queues(m.b, 1<<30) {
		row := map[string]string{
			"acceptance": "acceptance.", "run": "run.", "gc": "gc.", "reap": "reap.", "cleanup": "cleanup.",
		}[q.Name]
		switch q.Name {
		case "held":
			row = string(q.Vat) + ".h."
		case "outbox":
			row = string(q.Vat) + ".l."
		}
		n, before := 0, ""
		for key := range m.b.rows {
			if strings.HasPrefix(key, row) {
				n++
			}
		}
		if n != len(q.Events) || q.Length != uint64(n) {
			m.t.Fatalf("%s %s: %d events, length %d, %d rows", q.Name, q.Vat, len(q.Events), q.Length, n)
		}
		for _, e := range q.Events {
			if q.Name == "held" && e.Vat != q.Vat {
				m.t.Fatalf("held for %s: %+v", q.Vat, e)
			}
			if key := setRow(q.Name, e); key != "" {
				if _, there := m.b.rows[key]; !there || key <= before {
					m.t.Fatalf("%s: %+v, row %s after %q", q.Name, e, key, before)
				}
				before = key
			}
		}
		total += n
		counts[q.Name] += n
	}
	most := total / 2
	read := 0
	for _, q := range kernel.Queues(m.b, most) {
		read += len(q.Events)
	}
	if read != most {
		m.t.Fatalf("read %d events, want %d of %d", read, most, total)
	}
}

// TestQueuedEventsAreDecoded: a start, a message with everything a message has, and a
// notify show what is in them and whom they are for.
func TestQueuedEventsAreDecoded(t *testing.T) {
	w := newWorld(t)
	v1, one := w.vat(idle)
	_, err := w.k.Send(w.b, one, kmessage{Method: "hi", Args: kcap{Body: []byte("x"), Slots: []swing.KRef{one}}}, true)
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%+v", kernel.Queues(w.b, 10))
	for _, want := range []string{
		"{Name:acceptance Vat: Length:2 Events:[{Kind:startVat Vat:v1 Sender: Target: Method: Data:{Body:[] Slots:[]} Result:} " +
			"{Kind:send Vat:v1 Sender: Target:ko20 Method:hi Data:{Body:[120] Slots:[ko20]} Result:kp40}]}",
		"{Name:run Vat: Length:0 Events:[]}",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if err := w.k.Hold(w.b, v1); err != nil {
		t.Fatal(err)
	}
	w.run()
	held := kernel.Queues(w.b, 1)
	if len(held) != 6 || held[5].Vat != v1 || held[5].Length != 2 || len(held[5].Events) != 1 {
		t.Errorf("held: %+v", held)
	}
	for _, name := range []swing.KRef{"", "ko", "ko99", "kp40", "ko20.q", "v1"} {
		if o, ok := kernel.LookupObject(w.b, name); ok {
			t.Errorf("%q is %+v", name, o)
		}
	}
}

// TestSetsAreListed: reaps that are due and a vat that is to be cleaned up are listed
// until they are done; of a held vat the reap stays.
func TestSetsAreListed(t *testing.T) {
	w := newWorld(t)
	want := func(want string) {
		t.Helper()
		var text []string
		(&monitor{world: w}).sameQueues(map[string]int{})
		for _, q := range kernel.Queues(w.b, 100) {
			for _, e := range q.Events {
				text = append(text, fmt.Sprint(q.Name, " ", e.Kind, " ", e.Vat))
			}
		}
		if got := strings.Join(text, ", "); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for range 3 {
		id, _, err := w.k.CreateVat(w.b, kernel.VatSpec{ReapDeliveries: 1})
		if err != nil {
			t.Fatal(err)
		}
		w.programs[id] = idle
		w.crank()
	}
	want("run startVat v1, run startVat v2, run startVat v3")
	w.crank()
	want("reap reap v1, run startVat v2, run startVat v3")
	if err := w.k.Hold(w.b, "v1"); err != nil {
		t.Fatal(err)
	}
	w.crank()
	w.crank()
	want("reap reap v1, reap reap v2, run startVat v3")
	if _, err := w.k.Terminate(w.b, "v2", "why"); err != nil {
		t.Fatal(err)
	}
	want("reap reap v1, run startVat v3, cleanup cleanup v2")
	w.run()
	want("reap reap v1")
}

// TestOutboxesAreListed: what a vat has sent beyond its share of the run-queue.
func TestOutboxesAreListed(t *testing.T) {
	w := newWorld(t)
	if err := w.k.SetSchedule(w.b, kernel.Schedule{QueueShare: 1}); err != nil {
		t.Fatal(err)
	}
	_, to := w.vat(idle)
	from, root := w.vat(onMessage(func(d delivery, call func(syscall) []byte) outcome {
		for range 3 {
			call(send(d.Message.Args.Slots[0], "take", ""))
		}
		return done
	}))
	w.run()
	w.send(root, "give", to)
	counts := map[string]int{}
	for counts["outbox"] == 0 {
		if w.crank().Kind == kernel.Idle {
			t.Fatal("nothing was in an outbox")
		}
		(&monitor{world: w}).sameQueues(counts)
	}
	for _, q := range kernel.Queues(w.b, 100) {
		if q.Name == "outbox" && (q.Vat != from || q.Events[0].Method != "take" || q.Events[0].Target != to) {
			t.Errorf("%+v", q)
		}
	}
}

// TestCompareEqualsADumbDiff: over random spans of random worlds, what Compare says
// came and went is what two copies of all rows say.
func TestCompareEqualsADumbDiff(t *testing.T) {
	t.Parallel()
	seen := map[string]int{}
	for seed := range uint64(6) {
		var was map[string]string
		randomWorld(t, seed, 900, 23, func(m *monitor) {
			if was != nil {
				m.sameDifference(was, seen)
			}
			was = maps.Clone(m.b.rows)
		})
	}
	for _, what := range []string{"objects", "promises", "gone", "resolved", "added", "removed", "store", "ended", "made"} {
		if seen[what] == 0 && what != "made" {
			t.Errorf("no %s in any of them: %v", what, seen)
		}
	}
}

func (m *monitor) sameDifference(was map[string]string, seen map[string]int) {
	old := &buffer{rows: was}
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(m.b.rows)) {
		if before, had := was[key]; !had || before != m.b.rows[key] {
			keys = append(keys, key)
		}
	}
	for key := range was {
		if _, has := m.b.rows[key]; !has {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	d := kernel.Compare(old.Get, m.b, keys)
	gone := func(prefix string) (refs []swing.KRef) {
		for _, ref := range named(slices.Sorted(maps.Keys(was)), prefix) {
			if _, has := m.b.rows[string(ref)]; !has {
				refs = append(refs, ref)
			}
		}
		return refs
	}
	made := func(prefix string) (refs []swing.KRef) {
		for _, ref := range named(slices.Sorted(maps.Keys(m.b.rows)), prefix) {
			if _, had := was[string(ref)]; !had {
				refs = append(refs, ref)
			}
		}
		return refs
	}
	for what, pair := range map[string][2][]swing.KRef{
		"objects made": {d.ObjectsMade, made("ko")}, "objects gone": {d.ObjectsGone, gone("ko")},
		"promises made": {d.PromisesMade, made("kp")}, "promises gone": {d.PromisesGone, gone("kp")},
	} {
		if !slices.Equal(pair[0], pair[1]) {
			m.t.Fatalf("%s: %v, want %v", what, pair[0], pair[1])
		}
	}
	deliveries := kernel.ReadCounters(m.b).Deliveries - kernel.ReadCounters(old).Deliveries
	if sum := m.vatsDiffer(old, d, seen); sum != deliveries || d.Deliveries != deliveries {
		m.t.Fatalf("deliveries %d, by vats %d, want %d", d.Deliveries, sum, deliveries)
	}
	seen["objects"] += len(d.ObjectsMade)
	seen["promises"] += len(d.PromisesMade)
	seen["gone"] += len(d.PromisesGone)
	seen["resolved"] += len(d.PromisesResolved)
}

// vatsDiffer checks what is said of each vat, and adds its deliveries up.
func (m *monitor) vatsDiffer(old *buffer, d kernel.Difference, seen map[string]int) (deliveries uint64) {
	for _, v := range d.Vats {
		deliveries += v.Deliveries
		is, was := vatkeeper.New(v.Vat, m.b), vatkeeper.New(v.Vat, old)
		entries := map[swing.KRef]vatkeeper.Entry{}
		for e := range was.Entries() {
			entries[e.KRef] = e
		}
		for _, e := range v.Removed {
			if entries[e.KRef] != e {
				m.t.Fatalf("%s: removed %v, was %v", v.Vat, e, entries[e.KRef])
			}
			delete(entries, e.KRef)
		}
		for _, e := range slices.Concat(v.Added, v.Changed) {
			entries[e.KRef] = e
		}
		now := map[swing.KRef]vatkeeper.Entry{}
		for e := range is.Entries() {
			now[e.KRef] = e
		}
		if !maps.Equal(entries, now) {
			m.t.Fatalf("%s: the c-list becomes %v, is %v", v.Vat, entries, now)
		}
		for _, s := range v.Store {
			key := string(v.Vat) + ".v." + string(s.Key)
			before, had := old.rows[key]
			after, has := m.b.rows[key]
			if string(s.Before) != before || string(s.After) != after || s.Was != had || s.Is != has {
				m.t.Fatalf("%s: %+v", v.Vat, s)
			}
		}
		if v.Ended != (was.Alive() && !is.Alive()) {
			m.t.Fatalf("%s: ended %v", v.Vat, v.Ended)
		}
		seen["added"] += len(v.Added)
		seen["removed"] += len(v.Removed)
		seen["store"] += len(v.Store)
		if v.Ended {
			seen["ended"]++
		}
	}
	return deliveries
}

// TestCompareSeesAVatMade: a new vat is there with its name and its root.
func TestCompareSeesAVatMade(t *testing.T) {
	w := newWorld(t)
	was := maps.Clone(w.b.rows)
	id, root, err := w.k.CreateVat(w.b, kernel.VatSpec{Name: "one"})
	if err != nil {
		t.Fatal(err)
	}
	old := &buffer{rows: was}
	d := kernel.Compare(old.Get, w.b, slices.Sorted(maps.Keys(w.b.rows)))
	if len(d.Vats) != 1 || !d.Vats[0].Made || d.Vats[0].Vat != id || d.Vats[0].Name != "one" ||
		len(d.Vats[0].Added) != 1 || !slices.Equal(d.ObjectsMade, []swing.KRef{root}) {
		t.Errorf("%+v", d)
	}
}

// TestKeysOfVats: which vat and which part of it a key names.
func TestKeysOfVats(t *testing.T) {
	for key, want := range map[string]string{
		"v1.o": "v1 o  true", "v12.c.ko20": "v12 c ko20 true", "v3.v.a.b": "v3 v a.b true", "v3.v.": "v3 v  true",
		"v1.h": "v1 h  true", "v1.h.00": "v1 h 00 true", "run": "   false", "run.00": "   false", "ko20": "   false",
		"name.v1": "   false", "v1.": "   false", "v01.o": "   false", "v1.xy": "   false", "local.note.v1": "   false",
	} {
		vat, part, rest, ok := vatkeeper.ParseKey(key)
		text := strings.TrimRight(string(rune(part)), "\x00")
		if got := fmt.Sprint(string(vat), " ", text, " ", rest, " ", ok); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}

// stateful is a device that keeps as many values as it is called.
type stateful struct{}

func (stateful) Call(
	d *kernel.DeviceContext, method string, args kcap,
) (kcap, error) {
	d.Set(method, []byte("v"))
	for _, ref := range args.Slots {
		d.Hold(ref)
	}
	return kcap{}, nil
}

// TestDevicesAreListed: devices are listed by name, whatever they keep and hold, also
// where one's name begins with another's.
func TestDevicesAreListed(t *testing.T) {
	w := newWorld(t)
	names := []string{"clock", "clock-2", "clocks"}
	given := map[string]kernel.Device{}
	for _, name := range names {
		given[name] = stateful{}
	}
	w.k = kernel.New(w.b, w, given)
	_, root := w.vat(idle)
	for _, name := range names {
		ref, err := w.k.AddDevice(w.b, name)
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"a", "a.r.b", "z.v.z"} {
			w.send(ref, key, root)
		}
	}
	w.run()
	if got := kernel.Devices(w.b); !slices.Equal(got, names) {
		t.Errorf("%q, want %q", got, names)
	}
}
