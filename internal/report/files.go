package report

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"strconv"
)

// Pictures writes every plot of the page, as draw makes it: of figures that offer a
// choice those that are shown first. Names are without an ending.
func (p *Page) Pictures(
	draw func(*Plot) ([]byte, error), write func(name string, b []byte) error,
) error {
	return p.plots(func(name string, plot *Plot) error {
		b, err := draw(plot)
		if err != nil {
			return err
		}
		return write(name, b)
	})
}

// plots calls do for every plot that is saved, with the name of its file.
func (p *Page) plots(do func(name string, plot *Plot) error) error {
	for _, s := range p.Sections {
		for i := range s.Figures {
			plots := s.Figures[i].first()
			for j := range plots {
				if err := do(s.Name+"-"+plots[j].Name, &plots[j]); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// CSV writes what Pictures draws, and every table, as lines of comma-separated values
// below a head: of a plot all scales, then all lines. What is not there is empty.
func (p *Page) CSV(write func(name string, b []byte) error) error {
	err := p.plots(func(name string, plot *Plot) error {
		var head []string
		var columns []Values
		for _, x := range plot.X {
			head, columns = append(head, x.Label), append(columns, x.Values)
		}
		for _, l := range plot.Lines {
			head, columns = append(head, l.Label), append(columns, l.Values)
		}
		rows := make([][]any, len(plot.X[0].Values))
		for i := range rows {
			for _, c := range columns {
				rows[i] = append(rows[i], c[i])
			}
		}
		return writeCSV(name, head, rows, write)
	})
	if err != nil {
		return err
	}
	for _, s := range p.Sections {
		for _, t := range s.Tables {
			var head []string
			for _, c := range t.Columns {
				head = append(head, c.Key)
			}
			if err := writeCSV(s.Name+"-"+t.Name, head, t.Rows, write); err != nil {
				return err
			}
		}
	}
	return nil
}

func writeCSV(
	name string, head []string, rows [][]any, write func(name string, b []byte) error,
) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(head); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	for _, r := range rows {
		cells := make([]string, len(r))
		for i, v := range r {
			cells[i] = cell(v)
		}
		if err := w.Write(cells); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	w.Flush()
	return write(name, b.Bytes())
}

// cell writes a value, or nothing for what is not there.
func cell(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		if math.IsNaN(v) {
			return ""
		}
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}
