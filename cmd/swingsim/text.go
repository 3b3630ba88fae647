package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
)

// grouped writes a number with its thousands apart.
func grouped[N ~int | ~int64 | ~uint64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 && digits[i-1] != '-' {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}

// size writes a number of bytes in a unit for people, and exactly.
func size[N ~int | ~int64 | ~uint64](n N) string {
	units := []string{"KiB", "MiB", "GiB", "TiB"}
	if n < 1024 {
		return grouped(n) + " bytes"
	}
	v, unit := float64(n), ""
	for _, unit = range units {
		if v /= 1024; v < 1024 {
			break
		}
	}
	return fmt.Sprintf("%.1f %s (%s bytes)", v, unit, grouped(n))
}

// count writes a number and its noun.
func count[N ~int | ~int64 | ~uint64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + many
}

// plain replaces what a terminal might obey by a mark: texts of vats are printed,
// and vats are not trusted.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// shown is how much of a text a table shows, in letters.
const shown = 60

// short returns a text as a table shows it: plain, and cut if it is long.
func short(s string) string {
	s = plain(s)
	if letters := []rune(s); len(letters) > shown {
		return string(letters[:shown-1]) + "…"
	}
	return s
}

// limitFlag adds the flag that bounds a list.
func limitFlag(c *cobra.Command, limit *int) {
	c.Flags().IntVar(limit, "limit", 100, "list at most `N`, and say how many more there are")
}

// checkLimit refuses a bound that leaves nothing.
func checkLimit(limit int) error {
	if limit < 1 {
		return usagef("--limit %d: want a number from 1", limit)
	}
	return nil
}

// printMore says how many more there are than were listed.
func (a *app) printMore(more int, one, many string) {
	if more > 0 {
		fmt.Fprintf(a.out, "and %s\n", count(more, "more "+one, "more "+many))
	}
}

// printJSON prints one value on one line.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// facts prints named values under headings.
type facts struct{ out io.Writer }

func (f facts) heading(name string) { fmt.Fprintf(f.out, "\n%s\n", name) }

func (f facts) fact(name, format string, args ...any) {
	fmt.Fprintf(f.out, "  %-18s %s\n", name, fmt.Sprintf(format, args...))
}

// grid is a table for people. Columns whose names begin with ">" are set to the
// right.
func (a *app) grid(columns []string, rows [][]string) {
	t := table.NewWriter()
	style := table.StyleLight
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = text.FormatDefault
	style.Box.PaddingLeft = ""
	style.Box.PaddingRight = "  "
	t.SetStyle(style)
	var configs []table.ColumnConfig
	var head table.Row
	for i, c := range columns {
		name, right := strings.CutPrefix(c, ">")
		if right {
			configs = append(configs, table.ColumnConfig{
				Number: i + 1, Align: text.AlignRight, AlignHeader: text.AlignRight,
			})
		}
		head = append(head, name)
	}
	t.SetColumnConfigs(configs)
	t.AppendHeader(head)
	for _, r := range rows {
		var row table.Row
		for _, cell := range r {
			row = append(row, cell)
		}
		t.AppendRow(row)
	}
	for line := range strings.Lines(t.Render() + "\n") {
		fmt.Fprintln(a.out, strings.TrimRight(line, " \n"))
	}
}
