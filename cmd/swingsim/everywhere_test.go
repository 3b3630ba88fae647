package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"vatwarehouse/internal/sim"
)

// looks is one directory, and what its verbs print.
type looks struct {
	*testing.T
	dir string
}

// json has a verb print JSON, decodes it, and sees that for people it prints something
// too.
func (l looks) json(v any, args ...string) {
	l.Helper()
	args = append(args, "--dir", l.dir)
	code, people, errs := output(l.T, args...)
	if code != exitOK || strings.TrimSpace(people) == "" || json.Valid([]byte(people)) {
		l.Errorf("%v: code %d, %q, %s", args, code, people, errs)
	}
	code, out, errs := output(l.T, append(args, "--json")...)
	if code != exitOK {
		l.Fatalf("%v --json: code %d: %s", args, code, errs)
	}
	d := json.NewDecoder(strings.NewReader(out))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil || d.More() {
		l.Fatalf("%v --json: %v: %.300s", args, err, out)
	}
}

// same compares two numbers that are to agree.
func same[N comparable](l looks, what string, got, want N) {
	l.Helper()
	if got != want {
		l.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestEveryVerbOnEveryScenario: in a directory of every built-in scenario, stopped early,
// every verb that looks prints its tables and its JSON, and what the verbs say agrees: how
// many vats, deliveries, snapshots, references and events there are. Nothing of that
// changes the directory, and an export makes another one that says the same.
func TestEveryVerbOnEveryScenario(t *testing.T) {
	t.Parallel()
	for _, name := range sim.BuiltinNames() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := looks{t, directory(t, name, "--deliveries", "600", "--snapshots", "count:2/5")}
			st, vats := l.counted()
			l.references(vats)
			l.history(vats)
			l.elsewhere(st, vats)
		})
	}
}

// counted holds the counts of status, vats, snapshots, queue and check against each other.
func (l looks) counted() (st status, vats []listedVat) {
	var snapshots []listedSnapshot
	var queues []listedQueue
	var sound checked
	l.json(&st, "status")
	l.json(&vats, "vats")
	l.json(&snapshots, "snapshots")
	l.json(&queues, "queue", "--limit", "1000000")
	l.json(&sound, "check")
	positions, kept, waiting := uint64(0), 0, uint64(0)
	for _, v := range vats {
		positions += v.Position
		kept += v.Snapshots
	}
	for _, q := range queues {
		same(l, q.Queue+" queue", uint64(len(q.Events))+q.More, q.Length)
		if q.Queue == "acceptance" || q.Queue == "run" {
			waiting += q.Length
		}
	}
	same(l, "vats", len(vats), st.Vats)
	same(l, "vats checked", sound.Vats, st.Vats)
	same(l, "deliveries", positions, st.Deliveries)
	same(l, "entries checked", uint64(sound.Entries), st.Deliveries)
	same(l, "snapshots listed", len(snapshots), st.Snapshots)
	same(l, "snapshots of vats", kept, st.Snapshots)
	same(l, "snapshots checked", sound.Snapshots, st.Snapshots)
	same(l, "queued", waiting, st.Queued)
	same(l, "faults", len(sound.Faults), 0)
	return st, vats
}

// references holds objects and c-lists against each other: every import is an entry, and
// the other way round.
func (l looks) references(vats []listedVat) {
	all := []string{"--limit", "1000000"}
	var objects listedObjects
	var promises listedPromises
	l.json(&objects, append([]string{"objects"}, all...)...)
	l.json(&promises, append([]string{"promises"}, all...)...)
	same(l, "more", objects.More+promises.More, 0)
	there, imports := map[string]bool{}, map[string]bool{}
	for _, o := range objects.Objects {
		there[o.Object] = true
		for _, i := range o.Imports {
			imports[fmt.Sprint(i.Vat, o.Object, i.VRef, i.Reachable)] = true
		}
	}
	for _, p := range promises.Promises {
		there[p.Promise] = true
	}
	for _, v := range vats {
		var list listedCList
		l.json(&list, append([]string{"clist", v.ID}, all...)...)
		same(l, "references of "+v.ID, len(list.Entries), v.References)
		for _, e := range list.Entries {
			if !there[e.KRef] {
				l.Errorf("%s has %s, which there is not", v.ID, e.KRef)
			}
			if strings.HasPrefix(e.KRef, "ko") && !e.Exported {
				key := fmt.Sprint(v.ID, e.KRef, e.VRef, e.Reachable)
				if !imports[key] {
					l.Errorf("%s is not listed with the object", key)
				}
				delete(imports, key)
			}
		}
	}
	same(l, "imports that no c-list has", len(imports), 0)
}

// history replays the first and last vat, and prints their transcripts.
func (l looks) history(vats []listedVat) {
	for _, v := range []listedVat{vats[0], vats[len(vats)-1]} {
		var r replayed
		l.json(&r, "replay", v.ID)
		same(l, "replayed of "+v.ID, r.To, v.Position)
		same(l, "transcript of "+v.ID, r.Transcript, v.Transcript)
		code, out, errs := output(l.T, "transcript", v.ID, "--dir", l.dir, "--json")
		same(l, "lines of "+v.ID, uint64(strings.Count(out, "\n")), v.Position)
		for line := range strings.Lines(out) {
			if !json.Valid([]byte(line)) {
				l.Errorf("transcript: %s", line)
			}
		}
		if code != exitOK {
			l.Errorf("transcript: code %d: %s", code, errs)
		}
	}
}

// elsewhere tries a message, exports, and imports again.
func (l looks) elsewhere(st status, vats []listedVat) {
	var tried whatIf
	l.json(&tried, "what-if", vats[0].ID, "nothing", "--deliveries", "1")
	same(l, "activityhash before", tried.Before, st.Activityhash)
	at := l.TempDir()
	for _, mode := range []string{"operational", "archival"} {
		var out, in exported
		file, copied := filepath.Join(at, mode), filepath.Join(at, mode+".dir")
		code, _, errs := output(l.T, "export", file+".people", "--mode", mode, "--dir", l.dir)
		one, err := jsonOf(l.T, &out, "export", file, "--mode", mode, "--dir", l.dir)
		two, err2 := jsonOf(l.T, &in, "import", file, "--dir", copied)
		if err := errors.Join(err, err2); code+one+two != exitOK || err != nil {
			l.Fatalf("%s: %s %v", mode, errs, err)
		}
		same(l, "root", in.Root, out.Root)
		same(l, "entries", in.Entries, out.Entries)
		same(l, "vats exported", out.Vats, st.Vats)
		if mode == "archival" {
			same(l, "entries exported", out.Entries, st.Deliveries)
		}
		var there status
		var sound checked
		looks{l.T, copied}.json(&there, "status")
		looks{l.T, copied}.json(&sound, "check")
		same(l, "imported activityhash", there.Activityhash, st.Activityhash)
		same(l, "entries imported", uint64(sound.Entries), out.Entries)
	}
	var after status
	l.json(&after, "status")
	same(l, "activityhash after all", after.Activityhash, st.Activityhash)
}

// jsonOf has a verb print JSON, and decodes it.
func jsonOf(t *testing.T, v any, args ...string) (code int, err error) {
	t.Helper()
	code, out, errs := output(t, append(args, "--json", "--quiet")...)
	if code != exitOK {
		return code, errors.New(errs)
	}
	return code, json.Unmarshal([]byte(out), v)
}
