package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"

	"vatwarehouse/internal/report"
)

// saved calls what writes files, and returns them. No two may have the same name.
func saved(t *testing.T, all func(write func(string, []byte) error) error) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := all(func(name string, b []byte) error {
		if files[name] != nil || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			t.Errorf("a file is saved as %q: twice, or that is no name", name)
		}
		files[name] = b
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// shownFirst returns the plots of a page that are shown before anything is chosen.
func shownFirst(p *report.Page) map[string]report.Plot {
	plots := map[string]report.Plot{}
	for _, section := range p.Sections {
		for _, f := range section.Figures {
			for _, v := range f.Views {
				if !first(f, v) {
					continue
				}
				for _, plot := range v.Plots {
					plots[section.Name+"-"+plot.Name] = plot
				}
			}
		}
	}
	return plots
}

// TestPlotsOnPaper: every plot that the page shows first is drawn as PNG, of a column's
// width and with the colour of each line, and as SVG, with all its words.
func TestPlotsOnPaper(t *testing.T) {
	t.Parallel()
	p, _ := page(t)
	plots := shownFirst(p)
	pngs := saved(t, func(write func(string, []byte) error) error {
		return p.Pictures(p.PNG, write)
	})
	svgs := saved(t, func(write func(string, []byte) error) error {
		return p.Pictures(p.SVG, write)
	})
	if len(pngs) != len(plots) || len(svgs) != len(plots) {
		t.Errorf("%d as PNG, %d as SVG of %d plots", len(pngs), len(svgs), len(plots))
	}
	for name, plot := range plots {
		picture, err := png.Decode(bytes.NewReader(pngs[name]))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if w := picture.Bounds().Dx(); w < 1000 || w > 1030 {
			t.Errorf("%s is %d dots wide", name, w)
		}
		words := wordsOf(t, svgs[name])
		for _, want := range []string{plot.Title, plot.Note, plot.Y, plot.X[0].Label} {
			if !strings.Contains(words, want) {
				t.Errorf("%s has no %q: %q", name, want, words)
			}
		}
		for _, l := range plot.Lines {
			var r, g, b int
			if _, err := fmt.Sscanf(p.Colours[l.Colour].Light, "#%02x%02x%02x", &r, &g, &b); err != nil {
				t.Fatal(err)
			}
			rgb := fmt.Sprintf("rgb(%d, %d, %d)", r, g, b)
			// The sample beside the label has some two hundred; one value is a dot.
			want := 400
			if math.IsNaN(l.Values[len(l.Values)-1]) {
				want = 150
			}
			if n := coloured(picture, picture.Bounds(), rgb); n < want {
				t.Errorf("%s has %d dots of the colour of %s", name, n, l.Label)
			}
			if !strings.Contains(words, l.Label) {
				t.Errorf("%s has no %q: %q", name, l.Label, words)
			}
		}
	}
}

// wordsOf returns the text of an SVG, a line for each.
func wordsOf(t *testing.T, svg []byte) string {
	t.Helper()
	var words strings.Builder
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return words.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if text, ok := token.(xml.CharData); ok && len(bytes.TrimSpace(text)) > 0 {
			words.Write(append(text, '\n'))
		}
	}
}

// TestOddPlotsOnPaper: what has no values, one, or equal ones is drawn too.
func TestOddPlotsOnPaper(t *testing.T) {
	t.Parallel()
	p := report.NewPage("odd")
	for _, values := range []report.Values{
		{}, {report.None()}, {0}, {5}, {7, 7, 7}, {1, report.None(), 1e12}, {0, 0}, {-3, 4},
	} {
		for _, log := range []bool{false, true} {
			x := report.Scale{Label: "x", Log: log}
			for i := range values {
				x.Values = append(x.Values, float64(i+1))
			}
			line := report.Line{Label: "line", Values: values}
			plot := report.Plot{Name: "odd", X: []report.Scale{x}, Lines: []report.Line{line}}
			for i, v := range values {
				plot.LogY = log && (i == 0 || plot.LogY) && v > 0
			}
			for _, draw := range []func(*report.Plot) ([]byte, error){p.PNG, p.SVG} {
				if b, err := draw(&plot); err != nil || len(b) == 0 {
					t.Errorf("%v, %v: %d bytes, %v", values, log, len(b), err)
				}
			}
		}
	}
	wrong := report.Plot{X: []report.Scale{{Values: report.Values{1}}},
		Lines: []report.Line{{Values: report.Values{math.Inf(1)}}}}
	if _, err := p.PNG(&wrong); err == nil {
		t.Error("a line without end is drawn")
	}
}

// TestCSV: what is saved has the numbers of the page, of all its plots and tables.
func TestCSV(t *testing.T) {
	t.Parallel()
	p, _ := page(t)
	files := saved(t, p.CSV)
	want := map[string][][]string{}
	for name, plot := range shownFirst(p) {
		columns := append([]report.Values{}, plot.X[0].Values)
		rows := [][]string{{}}
		for _, x := range plot.X[1:] {
			columns = append(columns, x.Values)
		}
		for _, x := range plot.X {
			rows[0] = append(rows[0], x.Label)
		}
		for _, l := range plot.Lines {
			columns = append(columns, l.Values)
			rows[0] = append(rows[0], l.Label)
		}
		for i := range plot.X[0].Values {
			var row []string
			for _, c := range columns {
				row = append(row, plainNumber(c[i]))
			}
			rows = append(rows, row)
		}
		want[name] = rows
	}
	tables := 0
	for _, s := range p.Sections {
		for _, table := range s.Tables {
			tables++
			rows := [][]string{{}}
			for _, c := range table.Columns {
				rows[0] = append(rows[0], c.Key)
			}
			for _, r := range table.Rows {
				var row []string
				for _, v := range r {
					f, isFloat := v.(float64)
					switch {
					case isFloat:
						row = append(row, plainNumber(f))
					case v == nil:
						row = append(row, "")
					default:
						row = append(row, fmt.Sprint(v))
					}
				}
				rows = append(rows, row)
			}
			want[s.Name+"-"+table.Name] = rows
		}
	}
	if len(files) != len(want) || tables != 5 {
		t.Errorf("%d files of %d plots and tables", len(files), len(want))
	}
	for name, rows := range want {
		got, err := csv.NewReader(bytes.NewReader(files[name])).ReadAll()
		if err != nil || fmt.Sprint(got) != fmt.Sprint(rows) {
			t.Errorf("%s: %v\n%v\nwant\n%v", name, err, got, rows)
		}
	}
}

func plainNumber(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}
