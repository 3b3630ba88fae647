package report

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"unicode"

	"vatwarehouse/internal/bench"
)

// assets are uPlot, as npm has it, its licence, and the page of ours.
//
//go:embed asset
var assets embed.FS

// Page is what one page shows.
type Page struct {
	Title    string    `json:"title"`
	Sections []Section `json:"sections"`
	Colours  []Colour  `json:"colours"` // of lines, in their order
}

// Colour is that of a line on a light and on a dark page, and on paper, and its dashes.
type Colour struct {
	Light string `json:"light"`
	Dark  string `json:"dark"`
	// Dashes are the lengths of strokes and gaps, in dots; none is a whole line.
	Dashes []float64 `json:"dashes"`
}

// colours are those of lines. They can be told apart on paper without colours, by dashes.
func colours() []Colour {
	return []Colour{
		{"#1f6fb2", "#62b0ee", []float64{}},
		{"#d9722b", "#f2a065", []float64{8, 4}},
		{"#2f8f4e", "#62c582", []float64{2, 3}},
		{"#8a4fa3", "#c893dd", []float64{10, 3, 2, 3}},
		{"#b8323c", "#f07f87", []float64{4, 3}},
		{"#6b6f76", "#aab0ba", []float64{12, 5}},
		{"#a07c00", "#d9b84a", []float64{6, 2, 2, 2, 2, 2}},
		{"#11868a", "#4fc4c8", []float64{2, 6}},
	}
}

// NewPage returns a page that shows nothing yet.
func NewPage(title string) *Page {
	return &Page{Title: title, Sections: []Section{}, Colours: colours()}
}

// ErrUnknown marks a file that is none of those that Add knows.
var ErrUnknown = errors.New("neither a record, a surface nor predictions")

// Add adds what a file has: a record, a measured surface, or predictions beside runs, as
// swingsim policy prints them. Of another file its error wraps ErrUnknown.
func (p *Page) Add(file string, b []byte) error {
	var is struct {
		Format string `json:"format"`
	}
	first, _, _ := bytes.Cut(b, []byte("\n"))
	err := json.Unmarshal(first, &is)
	predictions, ok := readChecked(first)
	switch {
	case ok:
		p.add(predictions.section(file))
	case err != nil || is.Format == "":
		return fmt.Errorf("%s: %w", file, ErrUnknown)
	case is.Format == recordFormat:
		r, err := ReadRecord(b)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		p.add(r.section(file))
	default:
		s, _, err := bench.ReadSurface(b)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		p.add(surfaceSection(file, s))
	}
	return nil
}

// add appends a section, under a name that no other has and that can begin a file's.
func (p *Page) add(s Section) {
	plain := strings.Map(func(r rune) rune {
		if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return unicode.ToLower(r)
		}
		return '-'
	}, s.Name)
	s.Name = plain
	taken := func(o Section) bool { return o.Name == s.Name }
	for n := 2; slices.ContainsFunc(p.Sections, taken); n++ {
		s.Name = fmt.Sprintf("%s-%d", plain, n)
	}
	p.Sections = append(p.Sections, s)
}

// HTML returns the page. The same files give the same bytes.
func (p *Page) HTML() ([]byte, error) {
	page, err := template.ParseFS(assets, "asset/page.html")
	if err != nil {
		return nil, err
	}
	text := func(name string) string {
		if err != nil {
			return ""
		}
		var b []byte
		b, err = assets.ReadFile("asset/" + name)
		return string(b)
	}
	plot, style := template.JS(text("uPlot.iife.min.js")), template.CSS(text("uPlot.min.css"))
	code, own := template.JS(text("page.js")), template.CSS(text("page.css"))
	licence := text("uPlot-LICENSE")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = page.Execute(&b, map[string]any{
		"Title": p.Title, "Data": p, "Plot": plot, "PlotStyle": style,
		"Code": code, "Style": own, "Licence": licence,
	})
	return b.Bytes(), err
}
