package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"vatwarehouse/host"
	"vatwarehouse/kernel"
	"vatwarehouse/swing"
	"vatwarehouse/warehouse"
)

// recordFormat is what a record begins by saying that it is.
const recordFormat = "swingsim record 1"

// Header is a record's first line.
type Header struct {
	Format   string `json:"format"`
	Scenario string `json:"scenario"`
	Seed     string `json:"seed"`
}

// Block is what a record has of one block. What counts since the host was opened counts
// from 0 in each record.
type Block struct {
	Block         uint64  `json:"block"`
	Seconds       float64 `json:"seconds"` // since the record began
	Cranks        uint64  `json:"cranks"`  // of this block, as are the deliveries
	Deliveries    uint64  `json:"deliveries"`
	Queued        uint64  `json:"queued"`   // events that wait, in both queues
	PagedIn       int     `json:"paged_in"` // vats that are in memory
	PagedBytes    uint64  `json:"paged_bytes"`
	PageIns       uint64  `json:"page_ins"` // totals, as are those that follow
	Evictions     uint64  `json:"evictions"`
	Replayed      uint64  `json:"replayed"`
	Snapshots     uint64  `json:"snapshots"`
	SnapshotBytes int64   `json:"snapshot_bytes"`
	Spent
}

// Spent is time spent keeping vats, beside running them, in seconds.
type Spent struct {
	PageIn   float64 `json:"page_in_s"` // without replay
	Replay   float64 `json:"replay_s"`
	Snapshot float64 `json:"snapshot_s"` // with bringing images up to date, without sync
}

func secondsOf(s warehouse.Spent) Spent {
	return Spent{
		PageIn: s.PageIn.Seconds(), Replay: s.Replay.Seconds(),
		Snapshot: (s.Pause + s.Snapshot).Seconds(),
	}
}

// Vat is what a record has of one vat, at its end: what its deliveries in the record
// cost, and what is kept of it.
type Vat struct {
	Vat         string  `json:"vat"`
	Name        string  `json:"name"`
	Deliveries  uint64  `json:"deliveries"`
	Fuel        uint64  `json:"fuel"`
	Bytes       uint64  `json:"bytes"` // of transcript entries
	PageIns     uint64  `json:"page_ins"`
	Replayed    uint64  `json:"replayed"`
	Seconds     float64 `json:"seconds"` // in the warehouse
	Taken       uint64  `json:"snapshots_taken"`
	Snapshots   int     `json:"snapshots"`      // that are kept
	StoredBytes int64   `json:"snapshot_bytes"` // of these
	Spent

	spent warehouse.Spent
}

// Recorder writes a record of a run.
type Recorder struct {
	out     io.Writer
	err     error // the first of writing
	started time.Time
	vats    map[swing.VatID]*Vat
	ended   bool
}

// NewRecorder begins a record.
func NewRecorder(out io.Writer, scenario, seed string) *Recorder {
	r := &Recorder{out: out, started: time.Now(), vats: map[swing.VatID]*Vat{}}
	r.line(Header{recordFormat, scenario, seed})
	return r
}

func (r *Recorder) line(v any) {
	if r.err != nil {
		return
	}
	b, err := json.Marshal(v)
	if err == nil {
		_, err = r.out.Write(append(b, '\n'))
	}
	r.err = err
}

// Crank is for a host's Observer.
func (r *Recorder) Crank(c host.Crank) {
	if c.Vat == "" || r.ended {
		return
	}
	v := r.vat(c.Vat)
	if c.Kind == kernel.Delivery {
		v.Deliveries++
		v.Bytes += uint64(len(c.Item))
	}
	v.Fuel += c.Outcome.Fuel
	v.Replayed += c.Replayed
	v.Seconds += c.Delivering.Seconds()
	if c.PagedIn {
		v.PageIns++
	}
}

// vat returns what is recorded of a vat.
func (r *Recorder) vat(id swing.VatID) *Vat {
	v := r.vats[id]
	if v == nil {
		v = &Vat{Vat: string(id)}
		r.vats[id] = v
	}
	return v
}

// Upkeep is for a host's Observer.
func (r *Recorder) Upkeep(u host.Upkeep) {
	if u.Vat == "" || r.ended {
		return
	}
	v := r.vat(u.Vat)
	v.spent.Add(u.Task, u.Took)
	if u.Task == warehouse.TaskSnapshot {
		v.Taken++
	}
}

// Block is for a host's Observer.
func (r *Recorder) Block(b host.Block) {
	if r.ended {
		return // closing a host can make a block
	}
	r.line(Block{
		Block: b.Number, Seconds: time.Since(r.started).Seconds(),
		Cranks: b.Cranks, Deliveries: b.Deliveries,
		Queued:  b.Kernel.Accepted + b.Kernel.Runnable,
		PagedIn: b.Vats.PagedIn, PagedBytes: b.Vats.PagedBytes,
		PageIns: b.Vats.PageIns, Evictions: b.Vats.Evictions, Replayed: b.Vats.Replayed,
		Snapshots: b.Snapshots, SnapshotBytes: b.SnapshotBytes, Spent: secondsOf(b.Spent),
	})
}

// End writes the vats, with what the host keeps of them, in the order of their numbers.
// Its error is the first of all writing. What comes after is not recorded.
func (r *Recorder) End(kept []host.Vat) error {
	r.ended = true
	for _, k := range kept {
		v := r.vat(k.ID)
		v.Name, v.Snapshots = k.Name, len(k.Snapshots)
		for _, s := range k.Snapshots {
			v.StoredBytes += s.StoredBytes
		}
	}
	for _, id := range slices.SortedFunc(maps.Keys(r.vats), byNumber) {
		v := r.vats[id]
		v.Spent = secondsOf(v.spent)
		r.line(v)
	}
	if r.err != nil {
		return fmt.Errorf("write the record: %w", r.err)
	}
	return nil
}

// byNumber orders vats as they were made.
func byNumber(a, b swing.VatID) int {
	number := func(id swing.VatID) int {
		n, _ := strconv.Atoi(strings.TrimLeft(string(id), "v"))
		return n
	}
	return number(a) - number(b)
}

// Record is a record as it was read.
type Record struct {
	Header
	Blocks []Block `json:"blocks"`
	Vats   []Vat   `json:"vats"`
}

// ReadRecord reads a record.
func ReadRecord(b []byte) (*Record, error) {
	r := &Record{Blocks: []Block{}, Vats: []Vat{}}
	n := 0
	for line := range bytes.Lines(b[:bytes.LastIndexByte(b, '\n')+1]) {
		if n++; n == 1 {
			if err := json.Unmarshal(line, &r.Header); err != nil || r.Format != recordFormat {
				return nil, fmt.Errorf("no record: its format is %q", r.Format)
			}
			continue
		}
		var is struct {
			Vat string `json:"vat"`
		}
		err := json.Unmarshal(line, &is)
		switch {
		case err != nil:
		case is.Vat != "":
			var v Vat
			err = json.Unmarshal(line, &v)
			r.Vats = append(r.Vats, v)
		default:
			var block Block
			err = json.Unmarshal(line, &block)
			r.Blocks = append(r.Blocks, block)
		}
		if err != nil {
			return nil, fmt.Errorf("no record: line %d: %w", n, err)
		}
	}
	if n == 0 {
		return nil, errors.New("no record: it has no line")
	}
	return r, nil
}
