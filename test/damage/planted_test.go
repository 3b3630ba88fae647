package damage_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/big"
	"path"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/internal/frame"
	"vatwarehouse/kvstore"
	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// forge alters the body of one frame of a file, the first that alter does not
// leave alone, and makes all checks right again. It returns the last check.
func forge(t *testing.T, b []byte, alter func(f frame.Frame) bool) (forged []byte, check uint32) {
	t.Helper()
	done := false
	for i, off := 0, 0; off < len(b); i++ {
		f, err := frame.Decode(b[off:])
		if err != nil {
			t.Fatal(err)
		}
		f.Body = slices.Clone(f.Body)
		done = done || alter(f)
		if i == 0 {
			check = f.Seed
		}
		forged, check = frame.Append(forged, f.Kind, check, f.Body)
		off += f.Bytes()
	}
	if !done {
		t.Fatal("there is nothing to alter")
	}
	return forged, check
}

// The frames of a segment and of the mark of Close, as package streamstore has them.
const (
	kindRecord = 3
	markSeed   = 32
)

// forgedOutput is the directory with another promise in one output, and all checks
// of the log right.
func forgedOutput(t *testing.T, all tree) tree {
	t.Helper()
	for _, name := range all.names() {
		if kindOf(name) != "log/*.segment" {
			continue
		}
		out := tree{}
		for n, b := range all {
			out[n] = b
		}
		var seed uint32
		out[name], seed = forge(t, all[name], func(f frame.Frame) bool {
			at := bytes.Index(f.Body, []byte("kp"))
			if f.Kind != kindRecord || !bytes.HasPrefix(f.Body, []byte("\x03out")) || at < 0 {
				return false
			}
			f.Body[at+3] ^= 1 // another digit
			return true
		})
		out["log/closed"], _ = forge(t, all["log/closed"], func(f frame.Frame) bool {
			binary.LittleEndian.PutUint32(f.Body[markSeed:], seed)
			return true
		})
		return out
	}
	t.Fatal("there is no segment")
	return nil
}

// The head of a table, as package kvstore has it.
const (
	headDigest = 24
	headCheck  = 56
)

// forgedTable is the directory with one bit of one value altered in the table, and
// its digest and all checks right.
func forgedTable(t *testing.T, all tree) tree {
	t.Helper()
	const key = "activityhash"
	out := tree{}
	for n, b := range all {
		out[n] = b
	}
	digest := big.NewInt(0)
	add := func(sign int64, value []byte) {
		h := swing.Sum("kv pair", []byte(key), value)
		slices.Reverse(h[:]) // little-endian
		n := new(big.Int).SetBytes(h[:])
		digest.Add(digest, n.Mul(n, big.NewInt(sign)))
	}
	forged, _ := forge(t, all["table"], func(f frame.Frame) bool {
		at := bytes.Index(f.Body, []byte(key))
		if at < 0 {
			return false
		}
		at += len(key) + 2 // the head of a byte string of 32
		value := f.Body[at : at+swing.HashBytes]
		add(-1, value)
		value[7] ^= 1
		add(1, value)
		return true
	})
	first := true
	out["table"], _ = forge(t, forged, func(f frame.Frame) bool {
		if first {
			b := f.Body[headDigest:headCheck]
			slices.Reverse(b)
			digest.Add(digest, new(big.Int).SetBytes(b))
			digest.Mod(digest, new(big.Int).Lsh(big.NewInt(1), 256))
			digest.FillBytes(b)
			slices.Reverse(b)
			check := swing.Sum("vatwarehouse table head", f.Body[:headCheck])
			copy(f.Body[headCheck:], check[:])
		}
		first = false
		return true
	})
	return out
}

// faulty is a file system with a planted fault.
type faulty struct {
	vfs.FS
	open   func(name string) error
	create func(f vfs.File, name string) vfs.File
}

func (f faulty) Open(name string) (vfs.File, error) {
	if f.open != nil {
		if err := f.open(name); err != nil {
			return nil, err
		}
	}
	return f.FS.Open(name)
}

func (f faulty) Create(name string) (vfs.File, error) {
	file, err := f.FS.Create(name)
	if f.create != nil && err == nil {
		file = f.create(file, name)
	}
	return file, err
}

// wrongByte is an image of which one byte is not what was written.
type wrongByte struct{ vfs.File }

func (w wrongByte) WriteAt(b []byte, at int64) (int, error) {
	b = slices.Clone(b)
	for i := range b {
		if b[i] != 0 { // where there is nothing, nothing is missed
			b[i] ^= 1
			break
		}
	}
	return w.File.WriteAt(b, at)
}

// onTable is a file system that does something when the table is opened.
func onTable(do func(files vfs.FS) error) wrap {
	return func(files vfs.FS) vfs.FS {
		return faulty{FS: files, open: func(name string) error {
			if name == "table" {
				return do(files)
			}
			return nil
		}}
	}
}

// TestPlantedFaultsAreCaught: were the stores, the Host or the file system to do
// any of this, the harness would say so.
func TestPlantedFaultsAreCaught(t *testing.T) {
	g := newGolden(t)
	v := g.closed
	flipped := func(kind string, at int64) tree {
		for _, name := range v.all.names() {
			if kindOf(name) == kind {
				return damage{"flip", name, "-", at, 3}.apply(v.all, nil)
			}
		}
		t.Fatalf("no %s", kind)
		return nil
	}
	calls := 0
	for _, row := range []struct {
		name    string
		damaged tree
		wrap    wrap
		says    string
	}{
		{"an output with right checks", forgedOutput(t, v.all), nil, "outputs: line"},
		{"a table's value with right checks", forgedTable(t, v.all), nil, "activityhash"},
		{"a wrong byte in every image", v.all, func(files vfs.FS) vfs.FS {
			return faulty{FS: files, create: func(f vfs.File, name string) vfs.File {
				if path.Dir(name) == "heaps/images" {
					return wrongByte{f}
				}
				return f
			}}
		}, ""},
		{"an error of no kind", v.all, onTable(func(vfs.FS) error {
			return errors.New("bad luck")
		}), "of no kind"},
		{"an error without a place", v.all, onTable(func(vfs.FS) error {
			return kvstore.ErrCorrupt
		}), "does not say where"},
		{"a refusal that removes something", flipped("table", 9), onTable(func(files vfs.FS) error {
			return files.Remove("log/closed")
		}), "open changes log/closed"},
		{"a panic", v.all, onTable(func(vfs.FS) error { panic("ouch") }), "panic: ouch"},
		{"a check that looks away", flipped("heaps/code", 9), func(files vfs.FS) vfs.FS {
			if calls++; calls > 1 {
				whole, err := v.fresh()
				if err != nil {
					t.Error(err)
				}
				return whole
			}
			return files
		}, "check finds nothing"},
	} {
		j := g.judge(v, row.damaged, row.wrap)
		if j.is != silent || !strings.Contains(j.err.Error(), row.says) {
			t.Errorf("%s: %s, %v", row.name, j.is, j.err)
			continue
		}
		first, _, _ := strings.Cut(j.err.Error(), "\n")
		t.Logf("%s: caught: %.150s", row.name, first)
	}
}
