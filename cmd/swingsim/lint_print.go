package main

import (
	"fmt"
	"strings"
)

// printLinted prints what was found, and ends as the verdict is.
func (a *app) printLinted(r *linted) error {
	if a.json {
		if err := a.printJSON(r); err != nil {
			return err
		}
	} else {
		a.printLint(r)
	}
	if r.Admitted {
		return nil
	}
	fmt.Fprintf(a.err, "swingsim: %s: refused: %s\n", plain(r.Module),
		count(len(r.Problems), "problem", "problems"))
	return errReported
}

func (a *app) printLint(r *linted) {
	f := facts{a.out}
	fmt.Fprintf(a.out, "%s: %s\n", plain(r.Module),
		map[bool]string{true: "admitted", false: "refused"}[r.Admitted])
	for _, p := range r.Problems {
		kind := "not admitted"
		if p.Malformed {
			kind = "malformed"
		}
		fmt.Fprintf(a.out, "PROBLEM  %s, %s at offset %d: %s\n", kind, plain(p.Where), p.Offset,
			plain(p.What))
	}
	if !r.Whole {
		fmt.Fprintln(a.out, "What follows is what could be read before the last problem.")
	}
	f.heading("program")
	f.fact("code", "%s", r.Code)
	f.fact("identity", "%s, with rewriter %s", r.Program, r.Rewriter)
	f.fact("features", "%s", orNone(strings.Join(r.Features, ", ")))
	f.fact("floating point", "%s", yesNo(r.Floats))
	f.fact("memory", "%s", r.Memory.text())
	a.printLintFunctions("imports", r.Imports)
	a.printLintFunctions("exports", r.Exports)
	a.printLintSizes(r)
	if r.NormalForm != nil {
		a.printNormalForm(r)
	}
}

// printLintSizes leaves out, of a module that was not read to its end, what was not met.
func (a *app) printLintSizes(r *linted) {
	var rows [][]string
	for _, s := range r.Sizes {
		if s.Used > 0 || r.Whole {
			rows = append(rows, []string{s.What, grouped(s.Used), grouped(s.Limit)})
		}
	}
	if len(rows) > 0 {
		fmt.Fprintln(a.out)
		a.grid([]string{"size", ">used", ">limit"}, rows)
	}
}

func (m lintMemory) text() string {
	most := "no maximum declared"
	if m.Declared > 0 {
		most = fmt.Sprintf("at most %s declared", count(uint64(m.Declared), "page", "pages"))
	}
	exported := "not exported"
	if m.Exported {
		exported = "exported"
	}
	return fmt.Sprintf("%s of 64 KiB at birth, %s, %s",
		count(uint64(m.Pages), "page", "pages"), most, exported)
}

func (a *app) printLintFunctions(what string, list []lintFunction) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintln(a.out)
	rows := make([][]string, len(list))
	for i, l := range list {
		name := l.Name
		if what == "imports" {
			name = l.Module + "." + l.Name
			if l.Note == "" {
				l.Note = "offered"
			}
		}
		rows[i] = []string{short(name), l.Type, plain(l.Note)}
	}
	a.grid([]string{what, "type", ""}, rows)
}

// printNormalForm says what is rewritten.
func (a *app) printNormalForm(r *linted) {
	f, n := facts{a.out}, r.NormalForm
	f.heading("rewritten")
	f.fact("size", "%s", size(n.Bytes))
	f.fact("fuel and depth", "counted, by the costs of version %s", r.Costs)
	f.fact("floating point", "%s",
		map[bool]string{true: "NaNs are made alike where bits show", false: "none"}[r.Floats])
	f.fact("memory", "at most %s of 64 KiB", count(uint64(n.MemoryMax), "page", "pages"))
	f.fact(
		"globals",
		"%s exposed, %s of them by functions",
		count(n.Globals, "mutable one", "mutable ones"),
		grouped(n.VectorGlobals),
	)
	f.fact("data", "%s of %s written at birth by the host", size(n.SegmentBytes),
		count(n.Segments, "segment", "segments"))
	f.fact("start function", "%s",
		map[bool]string{true: "runs with the first delivery", false: "none"}[n.Start])
	f.fact("dropped segments", "%s, flagged at %s", grouped(n.Drops),
		count(n.DropSites, "place", "places"))
	f.fact("functions", "%s added", grouped(n.Functions))
	f.fact("custom sections", "%s; the functions' names are %s", grouped(n.CustomSections),
		map[bool]string{true: "kept", false: "not there or not kept"}[n.NamesKept])
}

func yesNo(b bool) string { return map[bool]string{true: "yes", false: "no"}[b] }

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
