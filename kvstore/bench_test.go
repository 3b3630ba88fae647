package kvstore_test

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"vatwarehouse/kvstore"
	"vatwarehouse/vfs"
)

const (
	benchGets  = 20
	benchSets  = 15
	benchBlock = 100 // cranks
)

// tableKeys makes n keys of the kernel's usual form.
func tableKeys(n int) []string {
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("v%d.c.ko%d", i%200, i)
	}
	return keys
}

// filled returns a store on the disk whose table holds keys with 40-byte values.
func filled(b *testing.B, keys []string, o kvstore.Options) *kvstore.Store {
	b.Helper()
	dir, err := vfs.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	o.FS = dir
	s, err := kvstore.Open(o)
	if err != nil {
		b.Fatal(err)
	}
	for i, key := range keys {
		s.Set(key, binary.BigEndian.AppendUint64(make([]byte, 32, 40), uint64(i)))
	}
	s.Seal()
	s.Changes(nil)
	s.Commit()
	if err := s.Checkpoint(); err != nil {
		b.Fatal(err)
	}
	if err := s.Wait(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

// benchmarkCranks runs cranks whose reads and writes fall on the first hot of
// the table's keys; each also moves a queue's head and tail.
func benchmarkCranks(b *testing.B, hot int, o kvstore.Options) {
	keys := tableKeys(200_000)
	s := filled(b, keys, o)
	rng := rand.New(rand.NewPCG(1, 1))
	queue, head := make([]string, 1<<16), 0
	for i := range queue {
		queue[i] = fmt.Sprintf("runQueue.%d", i)
	}
	var changes []byte
	cranks := 0
	b.ReportAllocs()
	for b.Loop() {
		for range benchGets {
			if _, ok := s.Get(keys[rng.IntN(hot)]); !ok {
				b.Fatal(s.Err())
			}
		}
		for range benchSets - 3 {
			s.Set(keys[rng.IntN(hot)], make([]byte, 40))
		}
		s.Delete(queue[head%len(queue)])
		s.Set(queue[(head+5)%len(queue)], make([]byte, 100))
		s.Set("runQueue", make([]byte, 10))
		head++
		s.Seal()
		if cranks++; cranks%benchBlock == 0 {
			changes, _ = s.Changes(changes[:0])
			s.Commit()
			if s.CheckpointDue() {
				if err := s.Checkpoint(); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.ReportMetric(float64(cranks)/b.Elapsed().Seconds(), "cranks/s")
	b.ReportMetric(float64(s.Stats().Checkpoints), "checkpoints")
}

func BenchmarkCrankHot(b *testing.B) { benchmarkCranks(b, 2000, kvstore.Options{}) }

func BenchmarkCrankWarm(b *testing.B) { benchmarkCranks(b, 20_000, kvstore.Options{}) }

// BenchmarkCrankCold reads nearly every key from bbolt.
func BenchmarkCrankCold(b *testing.B) {
	benchmarkCranks(b, 200_000, kvstore.Options{CacheBytes: -1})
}

// BenchmarkCheckpoint writes 20,000 changes into a table of 200,000 keys, with
// every fsync.
func BenchmarkCheckpoint(b *testing.B) {
	const changes = 20_000
	keys := tableKeys(200_000)
	s := filled(b, keys, kvstore.Options{Inline: true})
	rng := rand.New(rand.NewPCG(1, 1))
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		for range changes {
			value := binary.BigEndian.AppendUint64(make([]byte, 32, 40), rng.Uint64())
			s.Set(keys[rng.IntN(len(keys))], value)
		}
		s.Seal()
		s.Changes(nil)
		s.Commit()
		b.StartTimer()
		if err := s.Checkpoint(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*changes)/b.Elapsed().Seconds(), "changes/s")
}

// BenchmarkOpen opens and verifies a table of 800,000 keys.
func BenchmarkOpen(b *testing.B) {
	keys := tableKeys(800_000)
	dir, err := vfs.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	o := kvstore.Options{FS: dir, Inline: true}
	s, err := kvstore.Open(o)
	if err != nil {
		b.Fatal(err)
	}
	bytes := 0
	for i, key := range keys {
		s.Set(key, binary.BigEndian.AppendUint64(make([]byte, 80, 88), uint64(i)))
		bytes += len(key) + 88
	}
	s.Seal()
	s.Changes(nil)
	s.Commit()
	if err := s.Checkpoint(); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(bytes))
	b.ReportAllocs()
	for b.Loop() {
		s, err := kvstore.Open(o)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(keys))/b.Elapsed().Seconds(), "keys/s")
}

// BenchmarkGetCold reads keys from bbolt, one by one, verified and copied.
func BenchmarkGetCold(b *testing.B) {
	keys := tableKeys(200_000)
	s := filled(b, keys, kvstore.Options{CacheBytes: -1})
	// A checkpoint of next to nothing takes the place of the one that wrote the
	// keys, which would answer for the table.
	s.Seal()
	s.Changes(nil)
	s.Commit()
	if err := s.Checkpoint(); err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := s.Get(keys[rng.IntN(len(keys))]); !ok {
			b.Fatal(s.Err())
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "gets/s")
}

// BenchmarkNext walks a table of 200,000 keys under an overlay of 1,000.
func BenchmarkNext(b *testing.B) {
	keys := tableKeys(200_000)
	s := filled(b, keys, kvstore.Options{})
	for i := range 1000 {
		s.Set(keys[i*200]+".new", nil)
	}
	key := ""
	b.ReportAllocs()
	for b.Loop() {
		key, _ = s.Next(key, "")
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "keys/s")
}
