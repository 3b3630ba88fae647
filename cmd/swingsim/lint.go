package main

import (
	"context"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
	"vatwarehouse/internal/sim"
)

// linted is what the verb prints.
type linted struct {
	Module     string          `json:"module"`
	Code       string          `json:"code"`
	Program    string          `json:"program"`
	Rewriter   string          `json:"rewriter"`
	Costs      string          `json:"costs"`
	Admitted   bool            `json:"admitted"`
	Problems   []lintProblem   `json:"problems"`
	Whole      bool            `json:"read_whole"` // or as far as the last problem
	Imports    []lintFunction  `json:"imports"`
	Exports    []lintFunction  `json:"exports"`
	Memory     lintMemory      `json:"memory"`
	Features   []string        `json:"features"`
	Floats     bool            `json:"floating_point"`
	Sizes      []lintSize      `json:"sizes"`
	NormalForm *lintNormalForm `json:"normal_form"` // null unless admitted
}

// lintProblem is one reason to refuse the module.
type lintProblem struct {
	Malformed bool   `json:"malformed"` // or valid, and not admitted
	Where     string `json:"where"`
	Offset    int    `json:"offset"`
	What      string `json:"what"`
}

// lintFunction is a function that is imported or exported. Note is why it cannot be
// imported, or what the ABI has it exported for.
type lintFunction struct {
	Module string `json:"module,omitempty"`
	Name   string `json:"name"`
	Type   string `json:"type"`
	Note   string `json:"note,omitempty"`
}

// lintMemory is the memory, in WASM pages of 64 KiB.
type lintMemory struct {
	Exported bool   `json:"exported"`
	Pages    uint32 `json:"pages"`
	Declared uint32 `json:"declared_max_pages"` // 0: the module does not say
}

// lintSize is what the module uses of a limit.
type lintSize struct {
	What  string `json:"what"`
	Used  int    `json:"used"`
	Limit int    `json:"limit"`
}

// lintNormalForm is what the rewrite makes of the module.
type lintNormalForm struct {
	Bytes          int    `json:"bytes"`
	MemoryMax      uint32 `json:"max_pages"`
	Globals        int    `json:"globals_exposed"`
	VectorGlobals  int    `json:"vector_globals_exposed"`
	Segments       int    `json:"segments_lifted"`
	SegmentBytes   int    `json:"segment_bytes_lifted"`
	Start          bool   `json:"start_moved"`
	Drops          int    `json:"drops_tracked"`
	DropSites      int    `json:"drop_sites"`
	Functions      int    `json:"functions_added"`
	NamesKept      bool   `json:"names_kept"`
	CustomSections int    `json:"custom_sections"`
}

func (a *app) lintVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "lint MODULE",
		Short: "Say of a program, before it is installed, what is in it and if it is admitted",
		Long: `lint looks into a program: a built-in one, by name, or a .wasm file, by its path. It
says what it imports and exports, which features it uses, how large it is beside each
limit, how much a compiler has to do, what is rewritten, and every reason found to
refuse it, with the place and the offset. A fault hides what lies behind it only where
there is no reading on. The program is compiled, but not run.

With --dir the limits are those of that directory; nothing in it changes. The exit code
is 0 if the program would be installed, 1 if it would be refused.`,
		Example: `  swingsim lint ./mine.wasm
  swingsim lint counter --json
  swingsim lint ./mine.wasm --dir state`,
		Args: cobra.ExactArgs(1),
	}
	return a.verb(c, func(ctx context.Context, args []string) error {
		code, err := sim.Program(args[0])
		if err != nil {
			return err
		}
		v := host.Versions()
		r := linted{Module: args[0], Rewriter: v.Rewriter, Costs: v.Costs}
		o := host.Options{Existing: a.dir != ""}
		err = a.opened(ctx, &o, func(h *host.Host) error { return r.fill(ctx, h, code) })
		if err != nil {
			return err
		}
		return a.printLinted(&r)
	})
}

// fill asks the host.
func (r *linted) fill(ctx context.Context, h *host.Host, code []byte) error {
	found, err := h.Lint(ctx, code)
	if err != nil {
		return err
	}
	r.Code, r.Program = found.Code.String(), found.Program.String()
	r.Admitted, r.Whole = len(found.Refusals) == 0, found.Whole
	r.Problems, r.Imports, r.Exports = []lintProblem{}, []lintFunction{}, []lintFunction{}
	for _, p := range found.Refusals {
		r.Problems = append(r.Problems, lintProblem{p.Malformed, p.Where, p.Offset, p.What})
	}
	for i, f := range found.Imports {
		r.Imports = append(r.Imports,
			lintFunction{f.Module, f.Name, f.Signature(), found.NotOffered[i]})
	}
	for i, e := range found.Exports {
		r.Exports = append(r.Exports, lintFunction{"", e.Name, e.Signature(), found.Uses[i]})
	}
	f := &found.Facts
	r.Memory = lintMemory{found.ExportsMemory, f.MemoryPages, f.MemoryPagesMax}
	r.Features, r.Floats = append([]string{}, f.Features.List()...), f.Floats
	for _, s := range found.Sizes() {
		r.Sizes = append(r.Sizes, lintSize{s.What, s.Used, s.Limit})
	}
	n := found.Normal
	if n == nil {
		return nil
	}
	r.NormalForm = &lintNormalForm{
		Bytes: len(n.Code), MemoryMax: n.MemoryMax, Globals: len(n.Globals) - len(n.Drops),
		Segments: len(n.Segments), Start: n.Start != "", Drops: len(n.Drops),
		DropSites: f.DropSites, Functions: f.FunctionsAdded, NamesKept: f.NamesKept,
		CustomSections: f.CustomSections,
	}
	for _, g := range n.Globals {
		if g.Low != "" {
			r.NormalForm.VectorGlobals++
		}
	}
	for _, s := range n.Segments {
		r.NormalForm.SegmentBytes += len(s.Bytes)
	}
	return nil
}
