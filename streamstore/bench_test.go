package streamstore_test

import (
	"fmt"
	"testing"
	"time"

	"vatwarehouse/streamstore"
	"vatwarehouse/vfs"
)

const benchItemBytes = 200

// benchLog is a log on the machine's disk.
func benchLog(b *testing.B, noSync bool) (*streamstore.Store, *vfs.Dir) {
	b.Helper()
	d, err := vfs.Open(b.TempDir())
	must(b, err)
	b.Cleanup(func() { d.Close() })
	return open(b, streamstore.Options{FS: d, NoSync: noSync}), d
}

func benchStreams(n int) (names []string) {
	for i := range n {
		names = append(names, fmt.Sprintf("transcript.v%d", i))
	}
	return names
}

// interleave appends rows of one item for each stream, a block for each ten rows.
func interleave(b *testing.B, s *streamstore.Store, streams []string, rows int) {
	b.Helper()
	item := noise(benchItemBytes)
	for i := range rows {
		for _, stream := range streams {
			s.Append(stream, uint64(i), item)
		}
		if i%10 == 9 {
			commit(b, s)
		}
	}
	commit(b, s)
}

// BenchmarkAppendCommit: blocks of 1,000 items of 200 bytes to 100 streams, one
// write each, with its sync and without.
func BenchmarkAppendCommit(b *testing.B) {
	for _, noSync := range []bool{false, true} {
		b.Run(fmt.Sprintf("nosync=%v", noSync), func(b *testing.B) {
			const items = 1000
			s, _ := benchLog(b, noSync)
			streams := benchStreams(100)
			item := noise(benchItemBytes)
			position := uint64(0)
			b.ReportAllocs()
			b.SetBytes(items * benchItemBytes)
			for b.Loop() {
				for i := range items {
					s.Append(streams[i%100], position+uint64(i/100), item)
				}
				position += items / 100
				commit(b, s)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/items, "ns/item")
		})
	}
}

// BenchmarkCommitLatency: a block of one item, against a plain write of as many
// bytes and fdatasync, in turns. The ratio is what counts.
func BenchmarkCommitLatency(b *testing.B) {
	s, d := benchLog(b, false)
	f, err := d.Create("plain")
	must(b, err)
	must(b, f.Preallocate(64<<20))
	item := noise(benchItemBytes)
	var log, plain time.Duration
	at, i := int64(0), uint64(0)
	for b.Loop() {
		start := time.Now()
		s.Append("a", i, item)
		commit(b, s)
		middle := time.Now()
		_, err := f.WriteAt(item, at)
		must(b, err)
		must(b, f.Sync())
		log += middle.Sub(start)
		plain += time.Since(middle)
		at += 300
		i++
	}
	b.ReportMetric(float64(log.Microseconds())/float64(b.N), "log-µs")
	b.ReportMetric(float64(plain.Microseconds())/float64(b.N), "plain-µs")
	b.ReportMetric(float64(log)/float64(plain), "ratio")
}

// BenchmarkReadSuffix: the last 200 items of one stream of 100, which lie 20 KB
// apart; and of one that lies alone.
func BenchmarkReadSuffix(b *testing.B) {
	const items = 200
	for _, n := range []int{1, 10, 100} {
		for _, where := range []string{"segment", "archive"} {
			b.Run(fmt.Sprintf("streams=%d/%s", n, where), func(b *testing.B) {
				s, _ := benchLog(b, true)
				streams := benchStreams(n)
				interleave(b, s, streams, 2*items)
				if where == "archive" {
					fillSegment(b, s)
					_, err := s.Archive()
					must(b, err)
				}
				b.ReportAllocs()
				b.SetBytes(items * benchItemBytes)
				for b.Loop() {
					for _, err := range s.Read(streams[n/2], items, 2*items) {
						must(b, err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/items, "ns/item")
			})
		}
	}
}

// fillSegment makes the last segment full and begins another.
func fillSegment(b *testing.B, s *streamstore.Store) {
	for i := range uint64(3) {
		s.Append("filler", i, noise(9<<20))
		commit(b, s)
	}
}

// BenchmarkOpen: a log of one segment of 16 MiB, 1,000 streams, not closed.
func BenchmarkOpen(b *testing.B) {
	s, d := benchLog(b, true)
	streams := benchStreams(1000)
	rows := (16 << 20) / (benchItemBytes + 40) / len(streams)
	interleave(b, s, streams, rows)
	b.ReportAllocs()
	b.SetBytes(int64(s.Stats().BytesAppended))
	for b.Loop() {
		_, rec, err := streamstore.Open(streamstore.Options{FS: d, NoSync: true})
		must(b, err)
		if rec.Block == 0 {
			b.Fatal("nothing there")
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(rows*1000), "ns/item")
}

// BenchmarkArchive: a segment of 16 MiB of 1,000 streams to an archive; of each
// item one half compresses.
func BenchmarkArchive(b *testing.B) {
	streams := benchStreams(1000)
	rows := (17 << 20) / (benchItemBytes + 40) / len(streams)
	var st streamstore.ArchiveStats
	for b.Loop() {
		b.StopTimer()
		s, _ := benchLog(b, true)
		random := noise(1 << 20)
		item := make([]byte, benchItemBytes)
		for i := range rows {
			for j, stream := range streams {
				copy(item[benchItemBytes/2:], random[(i*1000+j)*100%len(random):])
				s.Append(stream, uint64(i), item)
			}
			commit(b, s)
		}
		b.StartTimer()
		var err error
		st, err = s.Archive()
		must(b, err)
	}
	b.SetBytes(st.SegmentBytes)
	b.ReportMetric(float64(st.ArchiveBytes)/float64(st.SegmentBytes), "size-ratio")
}
