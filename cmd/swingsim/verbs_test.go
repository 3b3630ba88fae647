package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// directory makes a directory by a short run and returns its path.
func directory(t *testing.T, args ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "st")
	code, _, errs := output(t, append([]string{"run", "--dir", dir, "--quiet"}, args...)...)
	if code != exitOK {
		t.Fatalf("run %v: code %d: %s", args, code, errs)
	}
	return dir
}

// names lists the names of a JSON value's fields, one inside another with a dot,
// of the first item of each list.
func names(prefix string, v any) (all []string) {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			all = append(all, prefix+name)
			all = append(all, names(prefix+name+".", inner)...)
		}
	case []any:
		if len(v) > 0 {
			all = names(prefix, v[0])
		}
	}
	slices.Sort(all)
	return all
}

// jsonFields are the fields of what each verb prints: others may come, none may
// go or change its name.
var jsonFields = map[string]string{
	"run": "about activityhash audit audit.asked audit.asked.answered audit.asked.group audit.asked.sums " +
		"audit.asked.sums.name audit.asked.sums.sum audit.asked.vats audit.asserts audit.checks audit.checks.about " +
		"audit.checks.broken audit.checks.cases audit.deliveries blocks cranks created deliveries " +
		"deliveries_per_s dir_bytes directory ended evictions identity interrupted log_bytes max_vats " +
		"messages nothing_to_do page_ins paged_bytes paged_in ran_cranks ran_deliveries replayed rounds " +
		"scenario seconds seed snapshot_bytes snapshot_pages snapshots spent spent.compile_s spent.page_in_s " +
		"spent.pause_s spent.replay_s spent.snapshot_s spent.sync_s syscalls vats vats_ended vats_held",
	"status": "about activityhash audit audit.asked audit.asked.answered audit.asked.group audit.asked.sums " +
		"audit.asked.sums.name audit.asked.sums.sum audit.asked.vats audit.asserts audit.checks audit.checks.about " +
		"audit.checks.broken audit.checks.cases audit.deliveries blocks blocks_redone cranks deliveries " +
		"dir_bytes directory identity length_deliveries length_messages messages queued rounds scenario " +
		"seed snapshots torn_bytes vats vats_ended vats_held",
	"vats": "id incarnation latest_snapshot name options options.critical options.meter options.pipelining options.quarantine options.reap_deliveries options.reap_fuel options.reap_references " +
		"position program references root snapshots state transcript",
	"snapshot v1":    "engine heap incarnation name position stored_bytes transcript vat",
	"snapshots":      "engine heap incarnation name position stored_bytes transcript vat",
	"transcript v1":  "d position r r.fuel r.status sc",
	"replay v1":      "deliveries deliveries_per_s from name seconds snapshots_compared to transcript vat",
	"send v1 incr 1": "activityhash answer body held method promise queued ran_cranks ran_deliveries slots state target",
	"create counter": "activityhash created_directory name program queued ran_cranks ran_deliveries root state vat",
	"quarantine v1": "activityhash name options options.critical options.meter options.pipelining options.quarantine options.reap_deliveries options.reap_fuel options.reap_references " +
		"queued returned state vat waiting",
	"change v1 --critical": "activityhash name options options.critical options.meter options.pipelining options.quarantine options.reap_deliveries options.reap_fuel options.reap_references " +
		"queued returned state vat waiting",
	"promises": "more promises promises.answer promises.body promises.decider promises.promise promises.references " +
		"promises.slots promises.state promises.subscribers promises.waiting",
	"objects": "more objects objects.held objects.imports objects.imports_cut objects.object objects.owner objects.owner_alive " +
		"objects.reachable objects.recognizable",
	"clist v1": "entries entries.exported entries.kref entries.reachable entries.vref more name vat",
	"queue":    "events length more queue vat",
	"what-if v1 incr 1": "activityhash activityhash_before directory messages messages.answer messages.body messages.held " +
		"messages.method messages.promise messages.slots messages.state messages.target objects_gone objects_made " +
		"promises_gone promises_made promises_resolved queued ran_cranks ran_deliveries vats vats.clist_added " +
		"vats.clist_changed vats.clist_removed vats.deliveries vats.ended vats.failure vats.made vats.name vats.vat vats.vatstore",
	"prune --margin 99999": "archives_removed bytes_freed directory entries outputs repaired skipped vats",
	"repair":               "directory dropped",
	"adopt":                "adopted directory dry_run",
	"check":                "directory entries faults keys ok outputs snapshots vats",
	"scenarios":            "about name vats",
	"scenarios show ring":  "name text",
	"version":              "engine format go platform rewriter",
}

// TestJSONShapes: what every verb prints with --json is one value (of transcript,
// one a line) with exactly the fields that programs were told of.
func TestJSONShapes(t *testing.T) {
	t.Parallel()
	shared, sent := directory(t, "counter", "--deliveries", "60"), directory(t, "counter", "--deliveries", "60")
	output(t, "send", "v1", "incr", "1", "--no-run", "--dir", sent)
	for verb, want := range jsonFields {
		dir := shared
		switch strings.Fields(verb)[0] {
		case "promises":
			dir = sent
		case "send", "create", "quarantine", "change":
			dir = directory(t, "counter", "--deliveries", "60")
		}
		code, out, errs := output(t, append(strings.Fields(verb), "--dir", dir, "--json")...)
		if code != exitOK || errs != "" {
			t.Errorf("%s: code %d: %s", verb, code, errs)
			continue
		}
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		if (len(lines) > 1) != (verb == "transcript v1") {
			t.Errorf("%s: %d lines", verb, len(lines))
		}
		for _, line := range lines {
			var v any
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				t.Errorf("%s: %v: %s", verb, err, line)
			}
			if verb == "transcript v1" {
				delete(v.(map[string]any), "d") // its shape is the delivery's
				v.(map[string]any)["d"], v.(map[string]any)["sc"] = nil, nil
			}
			if got := strings.Join(names("", v), " "); got != want {
				t.Errorf("%s:\ngot  %s\nwant %s", verb, got, want)
			}
		}
	}
}

// TestTranscriptPages: whatever part of a transcript is asked for, its entries come
// once each and in order, also across the pages in which they are read.
func TestTranscriptPages(t *testing.T) {
	t.Parallel()
	dir := directory(t, "ping-pong", "--deliveries", "3000")
	_, out, _ := output(t, "vats", "--dir", dir, "--json")
	var vats []listedVat
	if err := json.Unmarshal([]byte(out), &vats); err != nil {
		t.Fatal(err)
	}
	end := vats[0].Position
	if end <= pageEntries {
		t.Fatalf("%d entries are one page", end)
	}
	for _, part := range [][2]uint64{
		{0, 0}, {0, pageEntries}, {pageEntries - 1, pageEntries + 1}, {1, end - 1}, {end - 1, 0}, {end, 0},
		{end + 5, 0}, {7, 7}, {0, end + 1000}, {3, 4},
	} {
		from, to := part[0], part[1]
		args := []string{"transcript", "player.0", "--dir", dir, "--from", fmt.Sprint(from)}
		if to > 0 {
			args = append(args, "--to", fmt.Sprint(to))
		}
		until := end
		if to > 0 {
			until = min(end, to)
		}
		for _, format := range []string{"--json", "--quiet"} {
			code, out, errs := output(t, append(args, format)...)
			if code != exitOK {
				t.Fatalf("%v: code %d: %s", args, code, errs)
			}
			next := from
			for line := range strings.Lines(out) {
				position := strings.Contains(line, fmt.Sprintf(`"position":%d,`, next)) ||
					strings.HasPrefix(line, fmt.Sprintf("%d  ", next))
				switch {
				case position:
					next++
				case !strings.HasPrefix(line, "      "):
					t.Fatalf("%v: position %d is due, there is %s", args, next, line)
				}
			}
			if next != max(from, until) {
				t.Errorf("%v: it ends at %d, want %d", args, next, max(from, until))
			}
		}
	}
}

// TestTranscriptOfAFailure: the delivery that a vat failed in is shown with its
// outcome.
func TestTranscriptOfAFailure(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	code := run(t.Context(), []string{"scenarios", "show", "counter"}, &out, &out)
	if code != exitOK {
		t.Fatal(out.String())
	}
	path := filepath.Join(t.TempDir(), "dies.yaml")
	text := "about: a\nseed: s\nvats:\n  - {name: bad, program: trader}\n  - {name: good, program: counter}\n"
	write(t, path, text)
	dir := directory(t, path)
	_, got, _ := output(t, "transcript", "bad", "--dir", dir)
	if !strings.Contains(got, "  => failed: want [book, base purse, quote purse] (") {
		t.Errorf("got %s", got)
	}
	_, got, _ = output(t, "transcript", "good", "--dir", dir)
	if strings.Contains(got, "failed") || !strings.HasPrefix(got, "0  startVat []  => ok (") {
		t.Errorf("got %s", got)
	}
	_, got, _ = output(t, "vats", "--dir", dir)
	if !strings.Contains(got, "  failed ") || !strings.Contains(got, "  alive ") {
		t.Errorf("got %s", got)
	}
	_, got, _ = output(t, "status", "--dir", dir)
	if !strings.Contains(got, "vats               2, 1 ended") {
		t.Errorf("got %s", got)
	}
}

// TestProgress: nothing is shown where there is no terminal, nothing in the first
// seconds; then the bar, with how many of how many; and at the end it is gone.
func TestProgress(t *testing.T) {
	t.Parallel()
	a := &app{err: &bytes.Buffer{}}
	p := a.newProgress(100, "things")
	p.started = p.started.Add(-time.Hour)
	if p.to(50); p.bar != nil || p.done != 50 {
		t.Errorf("a bar where there is no terminal, or %d done", p.done)
	}
	p.end()
	for total, want := range map[int64]string{100: "50/100", 0: "50/-"} {
		var out bytes.Buffer
		p = &progress{started: time.Now(), total: total, what: "things", out: &out}
		if p.to(10); out.Len() > 0 {
			t.Errorf("a bar at once: %q", out.String())
		}
		p.started = p.started.Add(-progressAfter)
		p.to(50)
		if !strings.Contains(out.String(), "things") || !strings.Contains(out.String(), want) {
			t.Errorf("got %q, want %s", out.String(), want)
		}
		p.to(1000) // more than all: the bar is not full before the end
		p.end()
		if total > 0 && !strings.HasSuffix(strings.TrimRight(out.String(), " \r"), "") {
			t.Errorf("left behind: %q", out.String())
		}
	}
}

// TestSummaryForPeople: what a person is told of a run that went on, whose vats
// ended or were held, and whose audit found something.
func TestSummaryForPeople(t *testing.T) {
	t.Parallel()
	var s summary
	in := `{"scenario":"x","about":"it is","seed":"s","directory":"d","nothing_to_do":true,"vats":30,
		"vats_ended":22,"vats_held":1,"cranks":2000,"ran_cranks":10,"deliveries":1000,"ran_deliveries":5,
		"messages":1,"rounds":1,"seconds":1.5,"deliveries_per_s":3.4,"replayed":1,"paged_in":1,
		"ended":[{"vat":"v1","name":"a","info":"why"},{"vat":"v2","info":"so"}],"activityhash":"00",
		"audit":{"asked":[{"group":"g","vats":2,"answered":1,"problem":"g.1: no answer","sums":[{"name":"n","sum":5000}]}],
		"checks":[{"about":"one","cases":1},{"about":"two","cases":3,"broken":2,"first":"5 is 6"}]}}`
	if err := json.Unmarshal([]byte(in), &s); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	a := &app{out: &out}
	a.printSummary(&s)
	for _, want := range []string{
		"x: it is\nseed s, in d\n", "It had ended already", "vats               30, 22 ended, 1 held back\n",
		"messages sent      1 in 1 round\n", "deliveries         1,000 in all, 5 of these now\n",
		"cranks             2,000 in all, 10 of these now\n", "time               1.50 s\n",
		"deliveries         3 a second\n", "paged in           1 vat of 30, 0 bytes\n",
		"replayed           1 delivery\n", "v1 a               why\n", "v2                 so\n",
		"and more           20\n", "g                  2 vats: n 5,000\n",
		"BROKEN  1 vat did not answer; first g.1: no answer\n", "holds   one (1 case)\n",
		"BROKEN  two (2 of 3): 5 is 6\n", "\nactivityhash 00\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

// TestStatusForPeople: what a person is told of a directory that had to be mended,
// or that no scenario made.
func TestStatusForPeople(t *testing.T) {
	t.Parallel()
	st := status{Directory: "d", Seed: "s", Vats: 1, Redone: 3, TornBytes: 2048, Length: 500, LengthSent: 9, Messages: 4}
	var out bytes.Buffer
	a := &app{out: &out}
	a.printStatus(&st)
	for _, want := range []string{
		"d: not made by a scenario\nseed s, in d\n", "messages sent      4 in 0 rounds of 9\n",
		"deliveries         0 of 500\n", "redone             3 blocks that the table had not yet\n",
		"cut off            2.0 KiB (2,048 bytes) of a block that was being written\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}
