package report_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"image/png"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"vatwarehouse/guest"
	"vatwarehouse/host"
	"vatwarehouse/internal/bench"
	"vatwarehouse/internal/report"
	"vatwarehouse/swing"
)

// recorded runs three counters, of which two are in memory at a time, and returns the record and what the host counted.
func recorded(t *testing.T) (record []byte, stats host.Stats) {
	t.Helper()
	var out bytes.Buffer
	r := report.NewRecorder(&out, "</script><b>scenario", "seed")
	o := &host.Options{MaxVats: 2, BlockCranks: 5, Inline: true}
	o.Observer.Crank, o.Observer.Block = r.Crank, r.Block
	ctx := t.Context()
	h, err := host.Open(ctx, t.TempDir(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	code, _ := guest.Program("counter")
	hash, err := h.Install(ctx, code)
	if err != nil {
		t.Fatal(err)
	}
	var roots []swing.KRef
	for _, name := range []string{"one", "two", "three"} {
		_, root, err := h.CreateVat(ctx, host.VatSpec{Name: name, Code: hash})
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, root)
	}
	for range 10 {
		for _, root := range roots {
			body := swing.AppendUint(swing.AppendArray(nil, 1), 1)
			if err := h.SendOnly(ctx, root, host.Message{Method: "incr", Body: body}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.Run(ctx, host.Policy{}); err != nil {
			t.Fatal(err)
		}
	}
	vats, err := h.Vats()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.End(vats); err != nil {
		t.Fatal(err)
	}
	if stats, err = h.Stats(); err != nil {
		t.Fatal(err)
	}
	length := out.Len()
	if r.Block(host.Block{}); out.Len() != length {
		t.Error("what comes after the end is recorded")
	}
	return out.Bytes(), stats
}

// TestRecordAddsUp: what a record has of its blocks, and of its vats, is what the host
// counted. Cut anywhere, what is whole is read.
func TestRecordAddsUp(t *testing.T) {
	t.Parallel()
	b, stats := recorded(t)
	r, err := report.ReadRecord(b)
	if err != nil {
		t.Fatal(err)
	}
	var blocks, vats struct{ deliveries, bytes, pageIns, replayed uint64 }
	for _, block := range r.Blocks {
		blocks.deliveries += block.Deliveries
	}
	var stored int64
	for _, v := range r.Vats {
		vats.deliveries += v.Deliveries
		vats.bytes += v.Bytes
		vats.pageIns += v.PageIns
		vats.replayed += v.Replayed
		stored += v.StoredBytes
		if v.Fuel == 0 || v.Seconds == 0 || v.Snapshots == 0 || v.Name == "" {
			t.Errorf("%+v", v)
		}
	}
	last := r.Blocks[len(r.Blocks)-1]
	v := stats.Vats
	got := []uint64{blocks.deliveries, vats.deliveries, vats.bytes, vats.pageIns, vats.replayed,
		last.PageIns, last.Evictions, last.Replayed, uint64(last.PagedIn), last.PagedBytes, last.Queued}
	want := []uint64{stats.Deliveries, stats.Deliveries, stats.EntryBytes, v.PageIns, v.Replayed,
		v.PageIns, v.Evictions, v.Replayed, uint64(v.PagedIn), v.PagedBytes, 0}
	if !slices.Equal(got, want) || v.Replayed == 0 || len(r.Vats) != 3 || stored == 0 {
		t.Errorf("%v, want %v; %d vats, %d bytes stored", got, want, len(r.Vats), stored)
	}
	for n := bytes.IndexByte(b, '\n') + 1; n < len(b); n++ {
		cut, err := report.ReadRecord(b[:n])
		if err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		lines := bytes.Count(b[:n], []byte("\n"))
		if len(cut.Blocks)+len(cut.Vats) != lines-1 {
			t.Fatalf("cut at %d: %d blocks, %d vats of %d lines",
				n, len(cut.Blocks), len(cut.Vats), lines)
		}
	}
	for _, bad := range []string{"", "{}\n", strings.Replace(string(b), `"vat":"v1"`, `"vat":1`, 1)} {
		if _, err := report.ReadRecord([]byte(bad)); err == nil {
			t.Errorf("accepted: %.40q", bad)
		}
	}
}

// TestRecorderTellsOfWriting: an error of writing is told at the end.
func TestRecorderTellsOfWriting(t *testing.T) {
	t.Parallel()
	pipe, out := io.Pipe()
	if err := pipe.Close(); err != nil {
		t.Fatal(err)
	}
	if err := report.NewRecorder(out, "a", "b").End(nil); err == nil {
		t.Error("nothing is told")
	}
}

// surface is a file of points over 2 heaps, 2 suffixes and 2 ways.
func surface(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "points")
	f, err := bench.OpenSurface(path, bench.Machine{CPU: "<i>processor"}, 7)
	if err != nil {
		t.Fatal(err)
	}
	points, err := (&bench.Sweep{
		HeapsMiB: []int{1, 2}, DirtyPages: []int{4}, Suffixes: []int{0, 5},
		Detectors: []string{"scan"}, Memories: []string{"mapped"}, Compressions: []string{"lz4"}, Prefetches: []string{"off"},
		Ways: []string{"snapshot", "wazero"}, Axes: []string{"heap+suffix"},
	}).Points()
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range points {
		if err := f.Append(bench.Measured{Point: p, Rounds: 7, PageInP50: float64(10 + i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// page makes a page of a record and a surface.
func page(t *testing.T) []byte {
	t.Helper()
	record, _ := recorded(t)
	p := report.NewPage("A page of <tests>")
	for name, b := range map[string][]byte{"run.jsonl": record, "<img src=x onerror=alert(1)>": surface(t)} {
		if err := p.Add(name, b); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Add("other.txt", []byte("neither")); err == nil {
		t.Error("a file of something else is accepted")
	}
	first, err := p.HTML()
	if err != nil {
		t.Fatal(err)
	}
	second, err := p.HTML()
	if err != nil || !bytes.Equal(first, second) {
		t.Errorf("made twice, two pages differ: %v", err)
	}
	return first
}

// TestPageIsWhole: a page loads nothing, and what files say is no markup in it.
func TestPageIsWhole(t *testing.T) {
	t.Parallel()
	b := page(t)
	loads := regexp.MustCompile(
		`<[a-z]+[^>]*\s(src|href)=|<link|@import|url\(|fetch\(|XMLHttpRequest`,
	)
	if found := loads.FindAll(b, -1); len(found) > 0 {
		t.Errorf("the page loads: %q", found)
	}
	for _, markup := range []string{"<b>scenario", "<i>processor", "<img", "<tests>"} {
		if bytes.Contains(b, []byte(markup)) {
			t.Errorf("the page has %q", markup)
		}
	}
	for _, want := range []string{"The MIT License", "Leon Sorokin", "Content-Security-Policy"} {
		if !bytes.Contains(b, []byte(want)) {
			t.Errorf("the page has no %q", want)
		}
	}
}

// TestPageInBrowser: chromium, without network, draws all plots and tables of the page,
// and no error stands where there is none; a page that is broken says so.
func TestPageInBrowser(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("SKIPPED: no chromium here: that the page is drawn is NOT checked")
	}
	b := page(t)
	dom := browse(t, path, b, "--dump-dom")
	for what, want := range map[string]int{
		`data-state="drawn"`: 1, `class="uplot`: 6, `<canvas `: 6, `<table class="rows"`: 2,
		`<td class="text">v[123]</td>`: 3, `<td class="text">wazero</td>`: 4,
		`<h2>Run of &lt;/script&gt;&lt;b&gt;scenario</h2>`: 1, `&lt;img src=x onerror=`: 1,
		`<option value="suffix">`: 1, `<img`: 0, `<b>`: 0,
	} {
		if got := len(regexp.MustCompile(what).FindAll(dom, -1)); got != want {
			t.Errorf("%d of %s, want %d", got, what, want)
		}
	}
	broken := bytes.Replace(
		b,
		[]byte("for (const r of page.records)"),
		[]byte("for (const r of page.none)"),
		1,
	)
	if dom := browse(t, path, broken, "--dump-dom"); !bytes.Contains(
		dom,
		[]byte(`data-state="error: `),
	) {
		t.Error("a broken page does not say so")
	}
	shot := filepath.Join(t.TempDir(), "shot.png")
	browse(t, path, b, "--screenshot="+shot)
	if got := coloured(t, shot); got < 500 {
		t.Errorf("the picture has %d dots of the first line's colour", got)
	}
}

// TestPageOfManyVats: of more vats than are shown the first ones are, and it is said.
func TestPageOfManyVats(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("SKIPPED: no chromium here: that the page is cut short is NOT checked")
	}
	record := `{"format":"swingsim record 1","scenario":"many","seed":""}` + "\n"
	for i := range 1200 {
		record += fmt.Sprintf(`{"vat":"v%d","name":"","deliveries":%d}`, i+1, i) + "\n"
	}
	p := report.NewPage("many")
	if err := p.Add("many", []byte(record)); err != nil {
		t.Fatal(err)
	}
	b, err := p.HTML()
	if err != nil {
		t.Fatal(err)
	}
	// The head of the third column is clicked: most deliveries first.
	b = bytes.Replace(b, []byte("</body>"),
		[]byte(`<script>document.querySelectorAll("th")[2].click()</script></body>`), 1)
	dom := string(browse(t, path, b, "--dump-dom"))
	if got := strings.Count(dom, `<td class="text">v`); got != 1000 {
		t.Errorf("%d vats are shown", got)
	}
	if !strings.Contains(dom, "The first 1,000 of 1,200 rows") {
		t.Error("it is not said that there are more")
	}
	if !strings.Contains(dom, `<tbody><tr><td class="text">v1200</td>`) {
		t.Error("a click on a head does not sort")
	}
}

// TestPageSaves: the links of a page save its plots as pictures, and plots and tables as
// CSV, with what the files have.
func TestPageSaves(t *testing.T) {
	t.Parallel()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("SKIPPED: no chromium here: that the page saves is NOT checked")
	}
	// All links are clicked, and what they would save stays in the page.
	const click = `<script>for (const a of document.querySelectorAll("a.save")) {
		a.addEventListener("click", (e) => e.preventDefault());
		a.click();
	}</script></body>`
	b := bytes.Replace(page(t), []byte("</body>"), []byte(click), 1)
	dom := string(browse(t, path, b, "--dump-dom"))
	saved := map[string]string{}
	links := regexp.MustCompile(`<a class="save" download="([^"]*)" href="data:([^,]*),([^"]*)"`)
	for _, m := range links.FindAllStringSubmatch(dom, -1) {
		saved[m[1]] = m[2] + "," + m[3]
	}
	if len(saved) != 6*2+2 {
		t.Errorf("%d links save something, want 14", len(saved))
	}
	const points = "heap_mib,dirty_pages,suffix,way,page_in_p50_us,page_in_p99_us," +
		"snapshot_p50_us,snapshot_p99_us,evict_p50_us,image_p50_us,snapshot_bytes," +
		"replay_per_s,resident_bytes\n" +
		"1,4,0,snapshot,10,0,0,0,0,0,0,0,0\n1,4,0,wazero,11,0,0,0,0,0,0,0,0\n"
	for name, want := range map[string]string{
		"points.csv": points, "page-in, p50, µs.csv": "\"heap, MiB\",snapshot,wazero\n1,12,13\n2,16,17\n",
		"vats.csv": "vat,name,deliveries,", "Events that wait.csv": "block,queued\n0,",
	} {
		kind, text, _ := strings.Cut(saved[name], ",")
		got, err := url.PathUnescape(text)
		if err != nil || kind != "text/csv;charset=utf-8" || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, %v, %.200q, want %q", name, kind, err, got, want)
		}
	}
	kind, text, _ := strings.Cut(saved["Vats in memory.png"], ",")
	shot := filepath.Join(t.TempDir(), "shot.png")
	raw, err := base64.StdEncoding.DecodeString(text)
	if err = errors.Join(err, os.WriteFile(shot, raw, 0o644)); err != nil ||
		kind != "image/png;base64" {
		t.Fatal(kind, err)
	}
	if got := coloured(t, shot); got < 200 {
		t.Errorf("the picture has %d dots of the first line's colour", got)
	}
}

// browse has chromium open a page, and returns what it prints.
func browse(t *testing.T, chromium string, page []byte, do string) []byte {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "page.html")
	if err := os.WriteFile(file, page, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	out, err := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--host-resolver-rules=MAP * ~NOTFOUND", "--window-size=1100,2600",
		"--user-data-dir="+filepath.Join(dir, "profile"), do, "file://"+file).Output()
	if err != nil {
		t.Fatalf("chromium: %v", err)
	}
	return out
}

// coloured counts the dots of a picture that have the colour of the first line of plots.
func coloured(t *testing.T, path string) (n int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	picture, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	want := [3]uint32{0x1f, 0x6f, 0xb2}
	for x := range picture.Bounds().Dx() {
		for y := range picture.Bounds().Dy() {
			r, g, b, _ := picture.At(x, y).RGBA()
			if [3]uint32{r >> 8, g >> 8, b >> 8} == want {
				n++
			}
		}
	}
	return n
}
