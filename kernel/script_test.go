package kernel_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"vatwarehouse/devices"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/transcript"
	"vatwarehouse/vatkeeper"
)

// TestScripts: every script in testdata does what it shows. The vats are puppets: "do
// VAT" queues a message with which the vat makes the syscalls given, one a line. What
// was delivered since is printed by "run", starts left out; "state" prints the tables.
// Run with -rewrite after a change, and read the difference.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		s := &script{world: newWorld(t), vats: map[string]swing.VatID{}, roots: map[string]swing.KRef{}}
		s.k = kernel.New(s.b, s, someDevices())
		datadriven.RunTest(t, path, s.command)
	})
}

// script is a world whose vats have names.
type script struct {
	*world
	vats  map[string]swing.VatID
	roots map[string]swing.KRef
	// todo are the syscalls that a vat makes at the message "doN".
	todo []string
	used uint64 // fuel of the delivery in progress
	// overran: it ended well, with more fuel used than it had.
	overran bool
}

func (s *script) command(t *testing.T, d *datadriven.TestData) string {
	s.world.t = t
	var err error
	switch d.Cmd {
	case "options":
		s.options(d)
	case "vat":
		return s.create(d)
	case "do":
		s.do(d)
	case "send":
		return s.sendTo(d)
	case "run":
		return s.ran()
	case "state":
		return s.state()
	case "install":
		err = s.k.Install(s.b, codeOf(d.CmdArgs[0].Key), d.CmdArgs[0].Key)
	case "upgrade":
		_, err = s.k.Upgrade(s.b, s.vats[d.CmdArgs[0].Key], kernel.UpgradeSpec{
			Code: codeOf(d.CmdArgs[1].Key), Message: "better",
		})
	case "meter":
		var remaining, threshold uint64
		d.MaybeScanArgs(t, "remaining", &remaining)
		d.MaybeScanArgs(t, "threshold", &threshold)
		ref := s.k.CreateMeter(s.b, remaining, threshold, d.HasArg("unlimited"))
		s.roots[d.CmdArgs[0].Key] = ref
		return string(ref) + "\n"
	case "metered":
		m, ok := kernel.LookupMeter(s.b, s.ref(d.CmdArgs[0].Key))
		return fmt.Sprintf("%+v %v\n", m, ok)
	case "device":
		ref, err := s.k.AddDevice(s.b, d.CmdArgs[0].Key)
		if err != nil {
			return err.Error() + "\n"
		}
		s.roots[d.CmdArgs[0].Key] = ref
		return string(ref) + "\n"
	case "time":
		now, _ := strconv.ParseUint(d.CmdArgs[0].Key, 10, 64)
		_, err = s.k.SetTime(s.b, timeZero+now)
	case "receive":
		data := kcap{Body: body(t, d.Input), Slots: s.refs(d.CmdArgs[1:])}
		_, err = s.k.Receive(s.b, d.CmdArgs[0].Key, data)
	case "crank": // one that fails
		_, err = s.k.Crank(t.Context(), s.b)
	case "release":
		var r kernel.Report
		r, err = s.k.Release(s.b, s.ref(d.CmdArgs[0].Key))
		s.outputs = append(s.outputs, r.Outputs...)
	case "retain":
		err = s.k.Retain(s.b, s.ref(d.CmdArgs[0].Key))
	case "terminate":
		_, err = s.k.Terminate(s.b, s.vats[d.CmdArgs[0].Key], "asked to")
	case "hold":
		err = s.k.Hold(s.b, s.vats[d.CmdArgs[0].Key])
	case "unhold":
		err = s.k.Unhold(s.b, s.vats[d.CmdArgs[0].Key])
	default:
		d.Fatalf(t, "no command %s", d.Cmd)
	}
	if err != nil {
		return err.Error() + "\n"
	}
	return ""
}

// timeZero is what the times of scripts are counted from.
const timeZero = 946684800 * 1_000_000_000

// someDevices are those that a script can add.
func someDevices() map[string]kernel.Device {
	return map[string]kernel.Device{"timer": devices.Timer{}, "bridge": devices.Bridge{}}
}

// options makes the kernel anew.
func (s *script) options(d *datadriven.TestData) {
	o := kernel.Options{Seed: "script", Limits: swing.DefaultLimits()}
	d.MaybeScanArgs(s.t, "reap-deliveries", &o.ReapDeliveries)
	d.MaybeScanArgs(s.t, "reap-refs", &o.ReapRefs)
	d.MaybeScanArgs(s.t, "reap-fuel", &o.ReapFuel)
	d.MaybeScanArgs(s.t, "fuel", &o.Limits.Fuel)
	d.MaybeScanArgs(s.t, "cleanup-rows", &o.CleanupRows)
	d.MaybeScanArgs(s.t, "cleanup-every", &o.CleanupEvery)
	d.MaybeScanArgs(s.t, "queue-share", &o.QueueShare)
	d.MaybeScanArgs(s.t, "queue-max", &o.QueueMax)
	s.b = newBuffer()
	initKernel(s.t, s.b, o)
	s.k = kernel.New(s.b, s, someDevices())
	clear(s.items)
}

func (s *script) create(d *datadriven.TestData) string {
	name := d.CmdArgs[0].Key
	meter := ""
	d.MaybeScanArgs(s.t, "meter", &meter)
	id, root, err := s.k.CreateVat(s.b, kernel.VatSpec{
		Meter: s.ref(meter), Name: name, Code: codeOf("puppet"), Pipelining: d.HasArg("pipelining"),
		Critical: d.HasArg("critical"), Quarantine: d.HasArg("quarantine"),
	})
	if err != nil {
		return err.Error() + "\n"
	}
	s.vats[name], s.roots[name] = id, root
	return fmt.Sprintf("%s %s\n", id, root)
}

// codeOf returns the hash of a program. That of "bad" cannot start; all others are
// puppets.
func codeOf(program string) swing.Hash { return swing.Sum("code", []byte(program)) }

// puppetFuel is what each delivery to a puppet uses, beside what it is told to.
const puppetFuel = 1000

// Deliver implements kernel.Vats: it knows vats that vats have made, too. A puppet that
// used more fuel than it may is out of it, unless it overran.
func (s *script) Deliver(
	ctx context.Context, id swing.VatID, position uint64, b []byte, fuel uint64, sys swing.Syscaller,
) (outcome, error) {
	s.programs[id] = func(m delivery, call func(syscall) []byte) outcome {
		o, _ := vatkeeper.New(id, s.b).Options()
		if m.Kind == swing.DeliverStartVat && o.Code == codeOf("bad") {
			return outcome{Status: swing.StatusTrapped, Problem: "unreachable"}
		}
		n, err := strconv.Atoi(strings.TrimPrefix(m.Message.Method, "do"))
		if m.Kind != swing.DeliverMessage || err != nil {
			return done
		}
		if s.todo[n] == "trap" && o.Code != codeOf("puppet") {
			return done // what another program does better
		}
		return s.perform(s.todo[n], call)
	}
	s.used, s.overran = puppetFuel, false
	out, err := s.world.Deliver(ctx, id, position, b, fuel, sys)
	out.Fuel = s.used
	if s.used > fuel && !s.overran {
		out = outcome{Status: swing.StatusOutOfFuel, Fuel: fuel}
	}
	return out, err
}

// ref returns what a name stands for: a vat's root, or itself.
func (s *script) ref(name string) swing.KRef {
	if root, ok := s.roots[name]; ok {
		return root
	}
	return swing.KRef(name)
}

func (s *script) refs(args []datadriven.CmdArg) (refs []swing.KRef) {
	for _, a := range args {
		refs = append(refs, s.ref(a.Key))
	}
	return refs
}

// do queues a "do" to a vat; its slots are the command's further arguments.
func (s *script) do(d *datadriven.TestData) {
	name := d.CmdArgs[0].Key
	m := kmessage{
		Method: fmt.Sprint("do", len(s.todo)), Args: kcap{Slots: s.refs(d.CmdArgs[1:])},
	}
	s.todo = append(s.todo, strings.TrimSpace(d.Input))
	if _, err := s.k.Send(s.b, s.roots[name], m, false); err != nil {
		s.t.Fatal(err)
	}
}

// sendTo sends a message from the embedder, with a list as its body if there is one, and
// prints its result promise.
func (s *script) sendTo(d *datadriven.TestData) string {
	m := kmessage{Method: d.CmdArgs[1].Key, Args: kcap{Slots: s.refs(d.CmdArgs[2:])}}
	if d.Input != "" {
		m.Args.Body = body(s.t, d.Input)
	}
	result, err := s.k.Send(s.b, s.ref(d.CmdArgs[0].Key), m, true)
	if err != nil {
		return err.Error() + "\n"
	}
	return string(result) + "\n"
}

// perform makes the syscalls of some lines: "op words …".
func (s *script) perform(lines string, call func(syscall) []byte) outcome {
	about := map[string]swing.Op{
		"dropImports": swing.OpDropImports, "retireImports": swing.OpRetireImports,
		"retireExports": swing.OpRetireExports, "abandonExports": swing.OpAbandonExports,
	}
	ends := map[string]swing.Status{
		"trap": swing.StatusTrapped, "deep": swing.StatusTooDeep, "memory": swing.StatusOutOfMemory,
	}
	for line := range strings.Lines(lines) {
		words := strings.Fields(line)
		var rest []swing.VRef
		for _, w := range words[1:] {
			rest = append(rest, swing.VRef(w))
		}
		switch op := words[0]; op {
		case "send": // target method result-or-none [list] slots
			result, slots := rest[2], rest[3:]
			if result == "none" {
				result = ""
			}
			m := send(rest[0], words[2], result)
			if len(slots) > 0 && words[4][0] == '[' {
				m.Message.Args.Body, slots = body(s.t, words[4]), slots[1:]
			}
			m.Message.Args.Slots = slots
			call(m)
		case "subscribe":
			call(subscribe(rest[0]))
		case "fulfil": // promise body slots
			answer(call, rest[0], capData{Body: []byte(words[2]), Slots: rest[2:]})
		case "forward": // promise object
			answer(call, rest[0], swing.ReferenceTo(rest[1]))
		case "reject": // promise body
			call(syscall{Op: swing.OpResolve, Resolutions: []swing.Resolution[swing.VRef]{
				{Promise: rest[0], Rejected: true, Data: text(words[2])},
			}})
		case "store": // key
			call(syscall{Op: swing.OpVatstoreSet, Key: []byte(words[1]), Value: []byte("v")})
		case "call": // target method [list] slots
			m := send(rest[0], words[2], "")
			m.Op, m.Message.Args = swing.OpCall, capData{Body: body(s.t, words[3]), Slots: rest[3:]}
			call(m)
		case "exit":
			call(syscall{Op: swing.OpExit, Failure: words[1] == "failure", Info: text("bye")})
		case "use", "overrun": // units of fuel; is stopped beyond its budget, or not
			n, _ := strconv.ParseUint(words[1], 10, 64)
			s.used, s.overran = s.used+n, op == "overrun"
		case "trap", "deep", "memory":
			return outcome{Status: ends[op], Problem: "unreachable"}
		default:
			call(syscall{Op: about[op], Refs: rest})
		}
	}
	return done
}

// body encodes a list that is written as JSON, bytes as "0x…".
func body(t *testing.T, text string) []byte {
	var values []any
	if err := json.Unmarshal([]byte(text), &values); err != nil {
		t.Fatal(err)
	}
	return appendValue(nil, values)
}

func appendValue(b []byte, v any) []byte {
	switch v := v.(type) {
	case nil:
		return swing.AppendNull(b)
	case float64:
		return swing.AppendUint(b, uint64(v))
	case map[string]any: // {"time": n}: a time, counted from timeZero
		return swing.AppendUint(b, timeZero+uint64(v["time"].(float64)))
	case []any:
		b = swing.AppendArray(b, len(v))
		for _, item := range v {
			b = appendValue(b, item)
		}
		return b
	}
	if digits, ok := strings.CutPrefix(v.(string), "0x"); ok {
		raw, _ := hex.DecodeString(digits)
		return swing.AppendBytes(b, raw)
	}
	return swing.AppendText(b, v.(string))
}

// ran runs until nothing is left, and prints the deliveries and the other cranks.
func (s *script) ran() string {
	var out strings.Builder
	for {
		r := s.crank()
		switch r.Kind {
		case kernel.Idle:
			for _, o := range s.outputs {
				fmt.Fprintf(&out, "output %s rejected=%v %q %v\n", o.Promise, o.Rejected, o.Data.Body, o.Data.Slots)
			}
			s.outputs, s.log = nil, nil
			return out.String()
		case kernel.Delivery:
			e, err := transcript.Decode(r.Item)
			if err != nil {
				s.t.Fatal(err)
			}
			if r.Delivery != swing.DeliverStartVat {
				fmt.Fprintf(&out, "%s %s\n", r.Vat, transcript.DescribeDelivery(e.Delivery))
			}
			for _, x := range e.Exchanges {
				if x.Op == swing.OpCall {
					fmt.Fprintf(&out, "  %s\n", transcript.Describe(x))
				}
			}
			if !r.Outcome.OK() {
				fmt.Fprintf(&out, "%s %v\n", r.Vat, r.Outcome)
			}
		case kernel.Setback:
			fmt.Fprintf(&out, "setback %s %v: %v\n", r.Vat, r.Delivery, r.Outcome)
		case kernel.Skip, kernel.Cleanup, kernel.Service:
			fmt.Fprintf(&out, "%v %s", r.Kind, r.Vat)
			if r.Kind == kernel.Cleanup {
				fmt.Fprintf(&out, " rows=%d last=%v", r.Swept.Rows, r.Swept.Last)
			}
			fmt.Fprintln(&out)
		}
		for _, p := range r.Posts {
			fmt.Fprintf(&out, "post by %s %q %v\n", p.Device, p.Data.Body, p.Data.Slots)
		}
		for _, e := range r.Ended {
			fmt.Fprintf(&out, "%s ended: %s\n", e.Vat, e.Reason)
		}
	}
}

// state prints the tables: objects, promises, and the c-lists.
func (s *script) state() string {
	var out strings.Builder
	for key := range s.b.rows {
		ref := swing.KRef(key)
		if ref.Validate() != nil {
			continue
		}
		if ref.Kind() == swing.Object {
			o, _ := kernel.LookupObject(s.b, ref)
			if ref == kernel.AdminRef && o.Reachable == 1 {
				continue // always there
			}
			var importers []swing.VatID
			for _, i := range kernel.Importers(s.b, o, len(s.b.rows)) {
				importers = append(importers, i.Vat)
			}
			fmt.Fprintf(&out, "%s owner=%s reachable=%d recognizable=%d importers=%v\n",
				ref, o.Owner, o.Reachable, o.Recognizable, importers)
			continue
		}
		p, _ := kernel.LookupPromise(s.b, ref)
		fmt.Fprintf(&out, "%s %v count=%d decider=%s subscribers=%v waiting=%d\n",
			ref, p.State, p.Count, p.Decider, p.Subscribers, p.Waiting)
	}
	for name, id := range s.vats {
		vk := vatkeeper.New(id, s.b)
		var entries []string
		for e := range vk.Entries() {
			mark := ""
			if !e.Reachable {
				mark = "(dropped)"
			}
			entries = append(entries, fmt.Sprintf("%s=%s%s", e.KRef, e.VRef, mark))
		}
		if len(entries) > 0 {
			fmt.Fprintf(&out, "%s %s: %s\n", id, name, strings.Join(entries, " "))
		}
	}
	sorted := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	slices.Sort(sorted)
	return strings.Join(sorted, "\n") + "\n"
}
