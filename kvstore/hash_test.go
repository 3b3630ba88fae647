package kvstore

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"vatwarehouse/swing"
	"vatwarehouse/vfs"
)

// TestGolden: known writes have known hashes, a known change set and known
// files. If this fails, formats or hashes have changed for everybody.
func TestGolden(t *testing.T) {
	t.Parallel()
	fs := vfs.NewMem()
	s := open(t, Options{FS: fs, Inline: true})
	is := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	is("crankhash of nothing", s.Seal().String(),
		"40abeec005384d1a429c3444517c2d42bde98bc6b23c8b9421b4fe4ee8a5df32")
	is("activityhash", s.Activityhash().String(),
		"1b8c25570d95ac68dd5ae08394f61bf400e8345a21fd37477da9b5cd47c230d8")
	s.Set("one", []byte("1"))
	s.Set("local.two", []byte("2"))
	s.Delete("three")
	is("crankhash", s.Seal().String(),
		"db997559164fce37cef058e0f158df8525bb577202afc5e9105c776a3bdcebd0")
	is("activityhash", s.Activityhash().String(),
		"a7f00e28f78d77ff136bb24524d185452edeaeb3bcdbcc7e334af2814f02eab3")
	b, _ := s.Changes(nil)
	is("change set", hex.EncodeToString(b),
		"8701"+"4c6163746976697479686173685820"+s.Activityhash().String()+
			"496c6f63616c2e74776f4132"+"436f6e654131")
	s.Commit()
	if err := s.Checkpoint(); err != nil {
		t.Fatal(err)
	}
	head := s.table.head().encode()
	is("head", hex.EncodeToString(head),
		"76776b76010000000100000000000000"+"0300000000000000"+
			"721fd115b3b4f2281cd5bf5060f33199253d07d46ab21408b7b6c1045c4fa6ce"+"855a11dfbcdf12b6")
	file := swing.Sum("", readAll(t, fs, "table"))
	is("file", file.String(), "af40eb86b0186dda296985d211ae1c53302517a047b05babe2209ff5859779c3")
	closed(t, s)
}

// script is a life of cranks that only the seed decides.
func script(seed uint64, cranks int) [][]twinWrite {
	rng := rand.New(rand.NewPCG(seed, 8))
	list := make([][]twinWrite, cranks)
	for i := range list {
		for range rng.IntN(10) {
			w := twinWrite{key: fmt.Sprintf("k%d", rng.IntN(60)), gone: rng.IntN(3) == 0}
			if rng.IntN(8) == 0 {
				w.key = "local." + w.key
			}
			w.value = strings.Repeat("v", rng.IntN(50))
			list[i] = append(list[i], w)
		}
	}
	return list
}

// TestHashesDependOnWritesAlone: block size, checkpoints, reopenings, caches, the
// kind of table and reads in between change no crankhash; and of the change sets
// only the block size does.
func TestHashesDependOnWritesAlone(t *testing.T) {
	t.Parallel()
	cranks := script(1, 240)
	var wantHashes []swing.Hash
	wantLog := map[int][][]byte{}
	for i := range 24 {
		size := []int{1, 7, 240}[i%3]
		o := Options{Inline: i%2 == 0, NoSync: true, MapBytes: 1}
		o.FS = kinds[[]string{"mem", "bolt"}[i/3%2]](t)
		o.CacheBytes = []int{-1, 0}[i/6%2]
		hashes, log := variant(t, o, cranks, size, i/6)
		if wantHashes == nil {
			wantHashes = hashes
		}
		for c, h := range hashes {
			if h != wantHashes[c] {
				t.Fatalf("variant %d (%+v): hash %d is %v, want %v", i, o, c, h, wantHashes[c])
			}
		}
		if wantLog[size] == nil {
			wantLog[size] = log
		}
		for p, b := range log {
			if !bytes.Equal(b, wantLog[size][p]) {
				t.Fatalf("variant %d (%+v): change set %d is\n%x, want\n%x",
					i, o, p, b, wantLog[size][p])
			}
		}
	}
}

// variant runs the cranks, with checkpoints, reopenings and reads as mode says.
func variant(
	t *testing.T, o Options, cranks [][]twinWrite, size, mode int,
) (hashes []swing.Hash, log [][]byte) {
	t.Helper()
	s := open(t, o)
	for i, crank := range cranks {
		save := s.Savepoint()
		if mode == 2 { // a first try that is rolled back
			apply(s, cranks[(i+1)%len(cranks)])
			s.Next("", "")
			s.Rollback(save)
		}
		for _, w := range crank {
			apply(s, []twinWrite{w})
			if mode == 1 {
				s.Get(w.key)
				s.Next(w.key, "")
			}
		}
		hashes = append(hashes, s.Seal())
		if (i+1)%size > 0 {
			continue
		}
		b, _ := s.Changes(nil)
		log = append(log, b)
		s.Commit()
		if mode == 3 || i%5 == 0 {
			if err := s.Checkpoint(); err != nil {
				t.Fatal(err)
			}
		}
		if mode == 3 && i%10 == 9 {
			closed(t, s)
			s = open(t, o)
			for p := s.Position(); p < uint64(len(log)); p++ {
				if err := s.Redo(p, log[p]); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	hashes = append(hashes, s.Activityhash())
	closed(t, s)
	return hashes, log
}

func apply(s *Store, crank []twinWrite) {
	for _, w := range crank {
		if w.gone {
			s.Delete(w.key)
		} else {
			s.Set(w.key, []byte(w.value))
		}
	}
}

// TestHeadTableInDoc: the offsets that doc.go gives for the head add up, and the
// version it names is the one we write.
func TestHeadTableInDoc(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(doc), "# The head")
	section, _, _ = strings.Cut(section, "# The bbolt table")
	at := 0
	rows := regexp.MustCompile(`(?m)^//\t(\d+) +(\d+) +(.*)$`).FindAllStringSubmatch(section, -1)
	for _, r := range rows {
		if r[1] != strconv.Itoa(at) {
			t.Errorf("%q is at offset %s, want %d", r[3], r[1], at)
		}
		size, err := strconv.Atoi(r[2])
		if err != nil {
			t.Fatal(err)
		}
		at += size
	}
	if len(rows) != 6 || at != headBytes || at != len(head{}.encode()) {
		t.Errorf("%d rows add up to %d bytes, want %d", len(rows), at, headBytes)
	}
	if !strings.Contains(section, fmt.Sprintf("version, %d\n", headVersion)) {
		t.Errorf("version %d is not in the table", headVersion)
	}
	if n := framePairsBytes >> 10; !strings.Contains(string(doc), fmt.Sprintf("about %d KiB", n)) {
		t.Errorf("frames of %d KiB are not in the table", n)
	}
}
