package report_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html"
	"image"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"vatwarehouse/internal/report"
)

// seen is a page as chromium shows it.
type seen struct {
	dom     string
	console []string // what the page's scripts and what is refused to them say
	shot    image.Image
	Fetched []string
	Plots   []shownPlot
}

// shownPlot is where a plot is, and which colours its legend has.
type shownPlot struct {
	Name, Title string
	X, Y, W, H  float64
	Colours     []string
}

// probe is a script that says in the page what it has become.
const probe = `<script>
const told = {
	Fetched: performance.getEntriesByType("resource").map((e) => e.name),
	Plots: [...document.querySelectorAll("figure")].map((f) => {
		const r = f.querySelector("canvas").getBoundingClientRect();
		return { Name: f.dataset.name, Title: f.querySelector("figcaption").firstChild.textContent,
			X: r.x, Y: r.y + scrollY, W: r.width, H: r.height,
			Colours: [...f.querySelectorAll(".u-marker")].slice(1).map((m) => getComputedStyle(m).borderTopColor) };
	}),
};
document.body.dataset.told = JSON.stringify(told);
</script></body>`

// browse has chromium, without network, open a page and a script at its end. Where it is
// not, or cannot begin, the test is skipped.
func browse(t *testing.T, page []byte, script string) *seen {
	t.Helper()
	if err := exec.CommandContext(t.Context(), "chromium", "--version").Run(); err != nil {
		t.Skipf("SKIPPED: no chromium here: how a browser shows the page is NOT checked: %v", err)
	}
	dir := t.TempDir()
	file, shot := filepath.Join(dir, "page.html"), filepath.Join(dir, "shot.png")
	page = bytes.Replace(page, []byte("</body>"), []byte(script), 1)
	if err := os.WriteFile(file, page, 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var said bytes.Buffer
	c := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu",
		"--disable-background-networking", "--disable-component-update", "--disable-sync",
		"--host-resolver-rules=MAP * ~NOTFOUND", "--hide-scrollbars", "--window-size=1240,6000",
		"--user-data-dir="+filepath.Join(dir, "profile"), "--enable-logging=stderr",
		"--dump-dom", "--screenshot="+shot, "file://"+file)
	c.Stderr = &said
	dom, err := c.Output()
	if err != nil {
		t.Fatalf("chromium: %v: %s", err, &said)
	}
	s := &seen{dom: string(dom)}
	for line := range strings.Lines(said.String()) {
		if strings.Contains(line, ":CONSOLE") {
			s.console = append(s.console, strings.TrimSpace(line))
		}
	}
	if told := regexp.MustCompile(` data-told="([^"]*)"`).FindStringSubmatch(s.dom); told != nil {
		if err := json.Unmarshal([]byte(html.UnescapeString(told[1])), s); err != nil {
			t.Fatal(err)
		}
	}
	picture, err := os.ReadFile(shot)
	if err == nil {
		s.shot, err = png.Decode(bytes.NewReader(picture))
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// complaints says what is wrong with a page that was shown: it is not drawn, there were
// errors, something was fetched, or a plot is not there or lacks the colour of a line.
func (s *seen) complaints(p *report.Page) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if !strings.Contains(s.dom, `data-state="drawn"`) {
		say("the page is not drawn")
	}
	for _, line := range s.console {
		say("console: %s", line)
	}
	for _, address := range s.Fetched {
		say("fetched: %s", address)
	}
	tables, plots := 0, shownFirst(p)
	for _, section := range p.Sections {
		tables += len(section.Tables)
	}
	if got := strings.Count(s.dom, `<table class="rows"`); got != tables {
		say("%d tables, not %d", got, tables)
	}
	if len(s.Plots) != len(plots) {
		say("%d plots, not %d", len(s.Plots), len(plots))
	}
	for _, is := range s.Plots {
		want, ok := plots[is.Name]
		if !ok || is.Title != want.Title || len(is.Colours) != len(want.Lines) || is.W < 400 ||
			is.H < 200 {
			say("plot %+v is not %q of %d lines", is, want.Title, len(want.Lines))
		}
		area := image.Rect(int(is.X), int(is.Y), int(is.X+is.W), int(is.Y+is.H))
		for i, colour := range is.Colours {
			if got := coloured(s.shot, area, colour); got < 10 {
				say("plot %s has %d dots of the colour of line %d, %s", is.Name, got, i+1, colour)
			}
		}
	}
	return wrong
}

// first reports whether a view is the one that is shown before anything is chosen.
func first(f report.Figure, v report.View) bool {
	for i, option := range v.Of {
		if option != f.Choices[i].First {
			return false
		}
	}
	return true
}

// coloured counts the dots that have a colour, or nearly so, as CSS writes it.
func coloured(picture image.Image, area image.Rectangle, colour string) (n int) {
	var want [3]int
	if _, err := fmt.Sscanf(colour, "rgb(%d, %d, %d)", &want[0], &want[1], &want[2]); err != nil {
		return 0
	}
	const near = 16
	area = area.Intersect(picture.Bounds())
	for x := area.Min.X; x < area.Max.X; x++ {
		for y := area.Min.Y; y < area.Max.Y; y++ {
			r, g, b, _ := picture.At(x, y).RGBA()
			off := 0
			for i, v := range []uint32{r, g, b} {
				off = max(off, int(v>>8)-want[i], want[i]-int(v>>8))
			}
			if off <= near {
				n++
			}
		}
	}
	return n
}

// clicks has all links that save clicked, and what they would save stay in the page.
const clicks = `<script>for (const a of document.querySelectorAll(".save a")) {
	a.addEventListener("click", (e) => e.preventDefault());
	a.click();
}</script>`

// TestPageInBrowser: chromium, without network, draws all plots and tables of the page,
// without an error, and its links save plots as pictures, plots and tables as CSV.
func TestPageInBrowser(t *testing.T) {
	t.Parallel()
	p, b := page(t)
	s := browse(t, b, clicks+probe)
	for _, wrong := range s.complaints(p) {
		t.Error(wrong)
	}
	for what, want := range map[string]int{
		`<td class="text">v[123]</td>`: 3, `<td class="text">wazero</td>`: 5,
		`<h2>Run of &lt;/script&gt;&lt;b&gt;scenario</h2>`: 1, `<p class="about">&lt;img src=x`: 1,
		`<select name="suffix, deliveries">`: 1, `<img`: 0, `<b>`: 0,
	} {
		if got := len(regexp.MustCompile(what).FindAllString(s.dom, -1)); got != want {
			t.Errorf("%d of %s, want %d", got, what, want)
		}
	}
	saved := map[string]string{}
	links := regexp.MustCompile(`<a download="([^"]*)" href="data:([^,]*),([^"]*)"`)
	for _, m := range links.FindAllStringSubmatch(s.dom, -1) {
		saved[m[1]] = m[2] + "," + m[3]
	}
	if want := 2*len(s.Plots) + 5; len(saved) != want {
		t.Errorf("%d links save something, want %d", len(saved), want)
	}
	const points = "heap_mib,dirty_pages,suffix,way,page_in_p50_us,page_in_p99_us," +
		"snapshot_p50_us,snapshot_p99_us,evict_p50_us,image_p50_us,snapshot_bytes,replay_per_s,resident_bytes\n" +
		"1,4,0,snapshot,10,,,,,,,,\n1,4,0,wazero,11,,,,,,,,\n"
	run := p.Sections[0].Name
	for name, want := range map[string]string{
		"surface-points.csv":                       points,
		"surface-page-in-p50-us-over-heap-mib.csv": "\"heap, MiB\",snapshot,wazero\n1,12,13\n2,16,17\n",
		run + "-vats.csv":                          "vat,name,deliveries,",
		run + "-queue.csv":                         "block,in both queues\n0,",
	} {
		kind, text, _ := strings.Cut(saved[name], ",")
		got, err := url.PathUnescape(text)
		if err != nil || kind != "text/csv;charset=utf-8" || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, %v, %.200q, want %q", name, kind, err, got, want)
		}
	}
	kind, text, _ := strings.Cut(saved[run+"-paged-in.png"], ",")
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || kind != "image/png;base64" {
		t.Fatal(kind, err)
	}
	picture, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if got := coloured(picture, picture.Bounds(), s.Plots[0].Colours[0]); got < 200 {
		t.Errorf("the saved picture has %d dots of the line's colour", got)
	}
}

// TestPlantedPages: a page that is broken is found to be.
func TestPlantedPages(t *testing.T) {
	t.Parallel()
	p, b := page(t)
	for _, planted := range []struct{ name, old, with, complaint string }{
		{"a script throws", "for (const s of page.sections)", "for (const s of page.none)",
			"the page is not drawn console"},
		{"something is fetched", `<main id="main">`, `<img src="http://127.0.0.1:9/x.png"><main id="main">`,
			"console"},
		{"lines are not drawn", "[x.values, ...p.lines.map((l) => l.values)], space",
			"[x.values, ...p.lines.map((l) => l.values.map(() => null))], space",
			"dots of the colour"},
	} {
		t.Run(planted.name, func(t *testing.T) {
			t.Parallel()
			broken := bytes.Replace(b, []byte(planted.old), []byte(planted.with), 1)
			if bytes.Equal(broken, b) {
				t.Fatalf("the page has no %q", planted.old)
			}
			got := strings.Join(browse(t, broken, probe).complaints(p), " ")
			if !strings.Contains(got, planted.complaint) {
				t.Errorf("not found; the complaints are %q", got)
			}
		})
	}
}

// TestPageOfManyVats: of more vats than are shown the first ones are, and it is said. A
// click on a head sorts.
func TestPageOfManyVats(t *testing.T) {
	t.Parallel()
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
	s := browse(t, b, `<script>document.querySelectorAll("th")[2].click()</script>`+probe)
	for _, wrong := range s.complaints(p) {
		t.Error(wrong)
	}
	if got := strings.Count(s.dom, `<td class="text">v`); got != 1000 {
		t.Errorf("%d vats are shown", got)
	}
	if !strings.Contains(s.dom, "The first 1,000 of 1,200 rows") {
		t.Error("it is not said that there are more")
	}
	if !strings.Contains(s.dom, `<tbody><tr><td class="text">v1200</td>`) {
		t.Error("a click on a head does not sort")
	}
}
