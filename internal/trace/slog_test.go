package trace_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"vatwarehouse/internal/trace"
	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
)

// slog is one as SwingSet writes it: a vat starts, is sent a message and makes syscalls;
// another fails and is terminated; the kernel stops, replays, and makes the last again.
const slog = `{"type":"import-kernel-start","time":1}
{"type":"create-vat","vatID":"v2","dynamic":false,"name":"bank","time":1}
{"type":"crank-start","crankType":"delivery","crankNum":1,"time":1}
{"type":"deliver","crankNum":1,"vatID":"v2","deliveryNum":1,"replay":false,"kd":["startVat",{}],"vd":["startVat",{}],"time":5,"monotime":1.5}
{"type":"deliver-result","crankNum":1,"vatID":"v2","deliveryNum":1,"replay":false,"dr":["ok",null,{"meterType":"xs-meter-22","compute":8000,"allocate":9}],"time":5,"monotime":2.75}
{"type":"crank-finish","crankNum":1,"crankhash":"9a89","activityhash":"f212","time":6}
{"type":"deliver","crankNum":2,"vatID":"v2","deliveryNum":2,"replay":false,"kd":[],"vd":["message","o+0",{"methargs":{"body":"[]","slots":[]},"result":"p-60"}],"time":7}
{"type":"syscall","crankNum":2,"vatID":"v2","deliveryNum":2,"syscallNum":0,"replay":false,"ksc":["send"],"vsc":["send"],"time":7}
{"type":"syscall-result","crankNum":2,"vatID":"v2","deliveryNum":2,"syscallNum":0,"replay":false,"ksr":["ok",null],"vsr":["ok",null],"time":7}
{"type":"syscall","crankNum":2,"vatID":"v2","deliveryNum":2,"syscallNum":1,"replay":false,"ksc":["resolve"],"vsc":["resolve"],"time":7}
{"type":"console","vatID":"v2","level":"log","args":["hello"],"time":7}
{"type":"deliver-result","crankNum":2,"vatID":"v2","deliveryNum":2,"replay":false,"dr":["ok",null,null],"time":7.5}
{"type":"crank-finish","crankNum":2,"time":8}
{"type":"deliver","crankNum":3,"vatID":"v7","deliveryNum":0,"replay":false,"kd":[],"vd":["changeVatOptions",{}],"time":8}
{"type":"deliver-result","crankNum":3,"vatID":"v7","deliveryNum":0,"replay":false,"dr":["error","Compute meter exceeded",null],"time":8}
{"type":"terminate","vatID":"v7","shouldReject":true,"info":{},"time":8}

{"type":"deliver","crankNum":4,"vatID":"v2","deliveryNum":3,"replay":false,"kd":[],"vd":["notify",[]],"time":9}
{"type":"import-kernel-start","time":9}
{"type":"deliver","vatID":"v2","deliveryNum":1,"replay":true,"vd":["startVat",{}],"time":9}
{"type":"deliver","vatID":"v9","deliveryNum":40,"replay":true,"vd":["message"],"time":9}
{"type":"deliver-result","vatID":"v9","deliveryNum":40,"replay":true,"dr":["ok",null,null],"time":9}
{"type":"syscall","vatID":"v2","deliveryNum":1,"syscallNum":0,"replay":true,"vsc":["send"],"time":9}
{"type":"deliver-result","vatID":"v2","deliveryNum":1,"replay":true,"dr":["ok",null,null],"time":9}
{"type":"deliver","crankNum":2,"vatID":"v2","deliveryNum":2,"replay":false,"kd":[],"vd":["message"],"time":9}
{"type":"deliver-result","crankNum":2,"vatID":"v2","deliveryNum":2,"replay":false,"dr":["ok",null,null],"time":9}
{"type":"deliver","crankNum":4,"vatID":"v2","deliveryNum":3,"replay":false,"kd":[],"vd":["bringOutYourDead"],"time":9}
{"type":"deliver-result","crankNum":4,"vatID":"v2","deliveryNum":3,"replay":false,"dr":["ok",null,{"compute":7}],"time":9}
`

// TestSlog: what a slog says is in the trace, and nothing else; and policies can be asked
// about it.
func TestSlog(t *testing.T) {
	t.Parallel()
	want := &trace.Trace{
		Head: trace.Head{About: "a slog"}, Vats: []string{"v2", "v7"},
		Events: []trace.Event{
			{Kind: trace.Deliver, Position: 1, Delivery: swing.DeliverStartVat, OK: true, Fuel: 8000, Nanoseconds: 1.25e9},
			{Kind: trace.Block},
			{Kind: trace.Deliver, Position: 2, Delivery: swing.DeliverMessage, OK: true, Syscalls: 2, Nanoseconds: 0.5e9},
			{Kind: trace.Block},
			{Kind: trace.Deliver, Vat: 1}, {Kind: trace.Discard, Vat: 1},
			{Kind: trace.Deliver, Position: 3, Delivery: swing.DeliverReap, OK: true, Fuel: 7},
		},
	}
	for _, torn := range []string{"", `{"type":"deli`} {
		got, err := trace.ReadSlog(strings.NewReader(slog+torn), "a slog")
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%v\ngot  %+v\nwant %+v", err, got, want)
		}
	}
	if back, err := trace.Decode(encode(t, want)); err != nil || !reflect.DeepEqual(back, want) {
		t.Errorf("it cannot be kept as a trace: %v", err)
	}
	w := want.Simulate(trace.Policy{Vats: 1, Rule: count(warehouse.Never, 0)})
	if w != (trace.Work{PageIns: 3, Evictions: 1, Replayed: 2, ReplayedFuel: 8000, Suffix: 3, SuffixFuel: 8007}) {
		t.Errorf("%+v", w)
	}
}

// TestSlogIsRefused: a line that is not what SwingSet writes is named, and so is an error
// of the file.
func TestSlogIsRefused(t *testing.T) {
	t.Parallel()
	for line, says := range map[string]string{
		`{"type":"deliver","vatID":"v1"}`:                                    "without its deliveryNum",
		`{"type":"deliver","vatID":"v1","deliveryNum":1}`:                    "without its vd",
		`{"type":"deliver","deliveryNum":1,"vd":["message"]}`:                "without a vatID",
		`{"type":"deliver","vatID":"v1","deliveryNum":1,"vd":[7]}`:           "vd: ",
		`{"type":"deliver","vatID":"v1","deliveryNum":-1,"vd":["message"]}`:  "deliveryNum",
		`{"type":"deliver-result","vatID":"v1","deliveryNum":1,"dr":["ok"]}`: "nothing is being delivered",
		`nonsense`: "invalid character", `[]`: "cannot unmarshal",
	} {
		_, err := trace.ReadSlog(strings.NewReader("{}\n"+line+"\n"), "")
		if !errors.Is(err, trace.ErrFormat) || !strings.Contains(fmt.Sprint(err), "line 2: ") ||
			!strings.Contains(fmt.Sprint(err), says) {
			t.Errorf("%s: %v", line, err)
		}
	}
	broken := io.MultiReader(strings.NewReader(slog), iotest.ErrReader(io.ErrClosedPipe))
	if _, err := trace.ReadSlog(broken, ""); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a file that cannot be read: %v", err)
	}
}

// FuzzSlog: whatever the lines, they are refused, or are a trace that can be kept.
func FuzzSlog(f *testing.F) {
	f.Add([]byte(slog))
	f.Fuzz(func(t *testing.T, b []byte) {
		tr, err := trace.ReadSlog(bytes.NewReader(b), "")
		if err != nil {
			if !errors.Is(err, trace.ErrFormat) {
				t.Fatal(err)
			}
			return
		}
		var kept bytes.Buffer
		if err := tr.Write(&kept); err != nil {
			t.Fatal(err)
		}
		if _, err := trace.Decode(kept.Bytes()); err != nil {
			t.Fatal(err)
		}
	})
}
