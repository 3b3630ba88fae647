package bench

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"vatwarehouse/snapstore"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// Regions is what it takes to keep what a vat has changed between two snapshots, in one
// format, over all snapshots of one workload.
type Regions struct {
	Workload string `json:"workload"`
	// Region is the unit in bytes, Codec what packs each run of changed regions, and
	// Detector how they are found; FormatOurs is the snapshot store itself.
	Region   int    `json:"region"`
	Codec    string `json:"codec"`
	Detector string `json:"detector"`

	Snapshots int     `json:"snapshots"`
	HeapBytes float64 `json:"heap_bytes"`    // mean
	Written   float64 `json:"written_pages"` // mean: pages that were written
	Bytes     float64 `json:"bytes"`         // mean: stored for a snapshot
	// PackP50 is what finding, packing and storing takes, UnpackP50 what it takes to make
	// the new memory of the old, in µs; 0 for the store, which reads no snapshot by itself.
	PackP50   float64 `json:"pack_p50_us"`
	UnpackP50 float64 `json:"unpack_p50_us"`
}

// How changed regions are found.
const (
	// RegionsKnown looks only into pages that the system says were written, and compares
	// them with the old memory where regions are smaller than a page.
	RegionsKnown = "known"
	// RegionsCompare compares all memory with the old memory.
	RegionsCompare = "compare"
	// RegionsHash hashes all memory, and compares with 64 bits of each region's last hash.
	RegionsHash = "hash"
	// FormatOurs is the snapshot store: its pages, nodes, digests and records, written
	// to files. What was written is known to it.
	FormatOurs = "ours"
)

// RegionSizes, RegionCodecs and RegionDetectors are all that is measured.
var (
	RegionSizes     = []int{512, 1 << 10, 2 << 10, 4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10}
	RegionCodecs    = []string{"none", "lz4", "zstd"}
	RegionDetectors = []string{RegionsKnown, RegionsCompare, RegionsHash}
)

// change is what a vat's memory was at a snapshot, and is at the next.
type change struct {
	before, after []byte
	written       []uint32 // pages that were written in between, ascending
	first         bool     // the first of its vat
}

// format is one way to keep changes.
type format struct {
	region          int
	codec, detector string
	hashes          []uint64 // of the regions of the memory before, for RegionsHash
	out             []byte   // room
}

// runHeadBytes is what a run's place and lengths take.
const runHeadBytes = 16

// regionSum is as much of a region's hash as is compared.
func regionSum(b []byte) uint64 {
	sum := swing.SumPage(b)
	return binary.LittleEndian.Uint64(sum[:8])
}

// remember hashes the memory before a change, as it would have been at the snapshot.
func (f *format) remember(before []byte) {
	f.hashes = f.hashes[:0]
	for at := 0; at < len(before) && f.detector == RegionsHash; at += f.region {
		f.hashes = append(f.hashes, regionSum(part(before, at, f.region)))
	}
}

// part returns so many bytes of memory, or as many as there are.
func part(memory []byte, at, n int) []byte {
	return memory[min(at, len(memory)):min(at+n, len(memory))]
}

// changed returns the runs of regions that changed, half-open, in bytes.
func (f *format) changed(c *change) (runs [][2]int) {
	add := func(at int) {
		end := min(at+f.region, len(c.after))
		if n := len(runs); n > 0 && runs[n-1][1] >= at {
			runs[n-1][1] = end
			return
		}
		runs = append(runs, [2]int{at, end})
	}
	differs := func(at int) bool {
		return !bytes.Equal(part(c.before, at, f.region), part(c.after, at, f.region))
	}
	switch f.detector {
	case RegionsKnown:
		for _, page := range c.written {
			start, end := int(page)*swing.PageBytes, (int(page)+1)*swing.PageBytes
			for at := start / f.region * f.region; at < end; at += f.region {
				if f.region >= swing.PageBytes || differs(at) {
					add(at)
				}
			}
		}
	case RegionsCompare:
		for at := 0; at < len(c.after); at += f.region {
			if differs(at) {
				add(at)
			}
		}
	default:
		for at := 0; at < len(c.after); at += f.region {
			i := at / f.region
			if sum := regionSum(part(c.after, at, f.region)); i >= len(f.hashes) ||
				f.hashes[i] != sum {
				add(at)
			}
		}
	}
	return runs
}

// packers are what the codecs need.
type packers struct {
	lz4     lz4.Compressor
	zstd    *zstd.Encoder
	unzstd  *zstd.Decoder
	scratch []byte
}

func newPackers() (p *packers, err error) {
	p = &packers{}
	p.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderCRC(false), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	p.unzstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	return p, err
}

// pack appends a run: its head, and its bytes, packed if that is less.
func (p *packers) pack(dst []byte, codec string, at int, run []byte) ([]byte, error) {
	packed := run
	switch codec {
	case "lz4":
		if n := lz4.CompressBlockBound(len(run)); len(p.scratch) < n {
			p.scratch = make([]byte, n)
		}
		n, err := p.lz4.CompressBlock(run, p.scratch)
		if err != nil {
			return nil, err
		}
		if n > 0 && n < len(run) {
			packed = p.scratch[:n]
		}
	case "zstd":
		p.scratch = p.zstd.EncodeAll(run, p.scratch[:0])
		if len(p.scratch) < len(run) {
			packed = p.scratch
		}
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(at))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(run)))
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(packed)))
	return append(dst, packed...), nil
}

// unpack writes all runs over the memory.
func (p *packers) unpack(memory []byte, codec string, b []byte) error {
	for len(b) > 0 {
		at := binary.LittleEndian.Uint64(b)
		length, packed := binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:])
		run := b[runHeadBytes : runHeadBytes+packed]
		b = b[runHeadBytes+packed:]
		dst := memory[at : at+uint64(length)]
		switch {
		case packed == length:
			copy(dst, run)
		case codec == "lz4":
			if _, err := lz4.UncompressBlock(run, dst); err != nil {
				return err
			}
		default:
			// It may write over more than it decodes.
			var err error
			if p.scratch, err = p.unzstd.DecodeAll(run, p.scratch[:0]); err != nil {
				return err
			}
			copy(dst, p.scratch)
		}
	}
	return nil
}

// keep packs a change and unpacks it, and says how many bytes it took and how long each
// was. What was unpacked is the memory after it, or that is an error.
func (f *format) keep(c *change, p *packers) (n int, pack, unpack time.Duration, err error) {
	memory := make([]byte, len(c.after)) // what lies behind the end of memory is zero
	copy(memory, c.before)
	c = &change{before: memory, after: c.after, written: c.written}
	f.remember(c.before)
	started := time.Now()
	f.out = f.out[:0]
	for _, run := range f.changed(c) {
		if f.out, err = p.pack(f.out, f.codec, run[0], c.after[run[0]:run[1]]); err != nil {
			return 0, 0, 0, err
		}
	}
	pack = time.Since(started)
	started = time.Now()
	if err = p.unpack(memory, f.codec, f.out); err != nil {
		return 0, 0, 0, err
	}
	unpack = time.Since(started)
	if !bytes.Equal(memory, c.after) {
		return 0, 0, 0, fmt.Errorf("%d, %s, %s: the memory comes back otherwise",
			f.region, f.codec, f.detector)
	}
	return len(f.out), pack, unpack, nil
}

// formats are all that are compared with the store.
func formats() (all []*format) {
	for _, region := range RegionSizes {
		for _, codec := range RegionCodecs {
			for _, detector := range RegionDetectors {
				all = append(all, &format{region: region, codec: codec, detector: detector})
			}
		}
	}
	return all
}

// oursStore keeps changes in a snapshot store.
type oursStore struct {
	store *snapstore.Store
	files *vfs.Dir
	img   *snapstore.Image
}

func newOurs(dir string) (*oursStore, error) {
	files, err := vfs.Open(dir)
	if err != nil {
		return nil, err
	}
	store, err := snapstore.Open(snapstore.Options{
		FS: files, HeapBytesMax: int64(bigLimits().MemoryBytes),
	})
	if err != nil {
		return nil, errors.Join(err, files.Close())
	}
	return &oursStore{store: store, files: files}, nil
}

// begin stores a vat's first memory.
func (o *oursStore) begin(memory []byte) (err error) {
	if o.img != nil {
		o.img.Release()
	}
	h := swing.Heap{Size: uint64(len(memory))}
	if o.img, _, err = o.store.Genesis(h, []snapstore.Segment{{Data: memory}}); err != nil {
		return err
	}
	o.img, err = o.store.Pause(o.img, h, nil) // a copy of its own, as a vat has
	return err
}

// keep stores what was written.
func (o *oursStore) keep(c *change) (n int, pack time.Duration, err error) {
	if c.first {
		if err := o.begin(c.before); err != nil {
			return 0, 0, err
		}
	}
	var dirty []swing.Page
	for _, i := range c.written {
		at := int(i) * swing.PageBytes
		dirty = append(dirty, swing.Page{Index: i, Data: c.after[at : at+swing.PageBytes]})
	}
	started := time.Now()
	h := swing.Heap{Size: uint64(len(c.after))}
	if o.img, err = o.store.Pause(o.img, h, dirty); err != nil {
		return 0, 0, err
	}
	info, err := o.store.Commit(o.img)
	return int(info.StoredBytes), time.Since(started), err
}

func (o *oursStore) close() error {
	if o.img != nil {
		o.img.Release()
	}
	return errors.Join(o.store.Close(), o.files.Close())
}

// tally is what was measured of one format.
type tally struct{ bytes, pack, unpack sample }

// MeasureRegions measures all formats over the snapshots of a workload, turn by turn.
func MeasureRegions(ctx context.Context, r *Run, name string) (all []Regions, err error) {
	n := slices.IndexFunc(regionWorkloads, func(w regionWorkload) bool { return w.name == name })
	if n < 0 {
		return nil, fmt.Errorf("no workload %q", name)
	}
	dir, clean, err := r.tempDir()
	if err != nil {
		return nil, err
	}
	defer clean()
	ours, err := newOurs(dir)
	if err != nil {
		return nil, err
	}
	p, err := newPackers()
	if err != nil {
		return nil, errors.Join(err, ours.close())
	}
	list := formats()
	tallies := make([]tally, len(list)+1)
	var heaps, written sample
	err = regionWorkloads[n].each(ctx, r, func(c *change) error {
		heaps = append(heaps, float64(len(c.after)))
		written = append(written, float64(len(c.written)))
		r.say("regions: %s, snapshot %d", name, len(heaps))
		for i, f := range list {
			n, pack, unpack, err := f.keep(c, p)
			if err != nil {
				return err
			}
			tallies[i].add(n, pack)
			tallies[i].unpack = append(tallies[i].unpack, microseconds(unpack))
		}
		n, pack, err := ours.keep(c)
		tallies[len(list)].add(n, pack)
		return err
	})
	p.unzstd.Close()
	if err = errors.Join(err, ours.close()); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	list = append(list, &format{region: swing.PageBytes, codec: "lz4", detector: FormatOurs})
	for i, f := range list {
		t := tallies[i]
		all = append(all, Regions{
			Workload: name, Region: f.region, Codec: f.codec, Detector: f.detector,
			Snapshots: len(heaps), HeapBytes: heaps.mean(), Written: written.mean(),
			Bytes: t.bytes.mean(), PackP50: t.pack.median(), UnpackP50: t.unpack.median(),
		})
	}
	return all, nil
}

func (t *tally) add(n int, pack time.Duration) {
	t.bytes = append(t.bytes, float64(n))
	t.pack = append(t.pack, microseconds(pack))
}

func (s sample) mean() float64 {
	sum := 0.0
	for _, v := range s {
		sum += v
	}
	return sum / float64(max(len(s), 1))
}

// ReadRegions reads lines of JSON, one for each format and workload.
func ReadRegions(b []byte) (all []Regions, err error) {
	for line := range bytes.Lines(b) {
		var one Regions
		err := json.Unmarshal(line, &one)
		if err == nil && one.Workload == "" {
			err = errors.New("it names no workload")
		}
		if err != nil {
			return nil, fmt.Errorf("no file of regions: line %d: %w", len(all)+1, err)
		}
		all = append(all, one)
	}
	return all, nil
}
