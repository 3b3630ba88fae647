package report

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"

	"vatwarehouse/internal/bench"
)

// assets are uPlot, as npm has it, its licence, and the page of ours.
//
//go:embed asset
var assets embed.FS

// Page is what one page shows.
type Page struct {
	Title    string    `json:"title"`
	Records  []Named   `json:"records"`
	Surfaces []Surface `json:"surfaces"`
}

// NewPage returns a page that shows nothing yet.
func NewPage(title string) *Page {
	return &Page{Title: title, Records: []Named{}, Surfaces: []Surface{}}
}

// Named is a record and the file that it is from.
type Named struct {
	File string `json:"file"`
	*Record
}

// Surface is a measured surface and the file that it is from.
type Surface struct {
	File    string           `json:"file"`
	Machine bench.Machine    `json:"machine"`
	Rounds  int              `json:"rounds"`
	Points  []bench.Measured `json:"points"`
}

// Add adds what a file has: a record, or a measured surface.
func (p *Page) Add(file string, b []byte) error {
	var is struct {
		Format string `json:"format"`
	}
	first, _, _ := bytes.Cut(b, []byte("\n"))
	if err := json.Unmarshal(first, &is); err != nil {
		return fmt.Errorf("%s: neither a record nor a surface: %w", file, err)
	}
	switch is.Format {
	case recordFormat:
		r, err := ReadRecord(b)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		p.Records = append(p.Records, Named{file, r})
	default:
		s, _, err := bench.ReadSurface(b)
		if err != nil {
			return fmt.Errorf("%s: neither a record nor a surface: %w", file, err)
		}
		points := append([]bench.Measured{}, s.Done...)
		p.Surfaces = append(p.Surfaces, Surface{file, s.Machine, s.Rounds, points})
	}
	return nil
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
