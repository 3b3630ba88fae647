package arch

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// The bars of docs/style.md.
const (
	functionLinesMax = 70
	fileLinesMax     = 500
	columnsMax       = 100
	tabColumns       = 4
)

// source is one parsed file.
type source struct {
	name string
	text []byte
	set  *token.FileSet
	file *ast.File
}

func parse(name string, text []byte) (source, error) {
	s := source{name: name, text: text, set: token.NewFileSet()}
	var err error
	s.file, err = parser.ParseFile(s.set, name, text, parser.ParseComments|parser.SkipObjectResolution)
	return s, err
}

// tidy returns every way in which a file is longer, wider or less explained
// than the style allows.
func tidy(s source) (found []string) {
	say := func(pos token.Pos, format string, args ...any) {
		at := s.set.Position(pos)
		found = append(found, fmt.Sprintf("%s:%d: ", s.name, at.Line)+fmt.Sprintf(format, args...))
	}
	test := strings.HasSuffix(s.name, "_test.go")
	lines := bytes.Split(s.text, []byte("\n"))
	if len(lines) > fileLinesMax && !test {
		say(s.file.Package, "%d lines, at most %d", len(lines), fileLinesMax)
	}
	for i, line := range lines {
		width := utf8.RuneCount(line) + (tabColumns-1)*bytes.Count(line, []byte("\t"))
		if width > columnsMax && !test {
			found = append(found, fmt.Sprintf("%s:%d: %d columns, at most %d", s.name, i+1, width, columnsMax))
		}
		if bytes.Contains(line, []byte("TO"+"DO")) || bytes.Contains(line, []byte("FIX"+"ME")) {
			found = append(found, fmt.Sprintf("%s:%d: unfinished mark", s.name, i+1))
		}
	}
	for _, d := range s.file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if ok {
			n := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1
			if n > functionLinesMax {
				say(f.Pos(), "func %s has %d lines, at most %d", f.Name.Name, n, functionLinesMax)
			}
		}
		if !test {
			undocumented(d, say)
		}
	}
	return found
}

// undocumented reports exported declarations without a comment.
func undocumented(d ast.Decl, say func(token.Pos, string, ...any)) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
			say(d.Pos(), "%s is exported and not documented", d.Name.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch spec := spec.(type) {
			case *ast.TypeSpec:
				if spec.Name.IsExported() && d.Doc == nil && spec.Doc == nil {
					say(spec.Pos(), "%s is exported and not documented", spec.Name.Name)
				}
			case *ast.ValueSpec:
				if spec.Names[0].IsExported() && d.Doc == nil && spec.Doc == nil && spec.Comment == nil {
					say(spec.Pos(), "%s is exported and not documented", spec.Names[0].Name)
				}
			}
		}
	}
}

func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if generic, ok := t.(*ast.IndexExpr); ok {
		t = generic.X
	}
	id, ok := t.(*ast.Ident)
	return ok && id.IsExported()
}

// TestTidy: every Go file of the module is within the bars.
func TestTidy(t *testing.T) {
	for _, p := range packages(t) {
		names, err := filepath.Glob(filepath.Join(p.Dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			short, _ := room(p.ImportPath)
			s, err := parse(short+"/"+filepath.Base(name), text)
			if err != nil {
				t.Error(err)
				continue
			}
			for _, f := range tidy(s) {
				t.Error(f)
			}
		}
	}
}

// TestTidyCatchesPlantedFaults: each bar is seen to be broken.
func TestTidyCatchesPlantedFaults(t *testing.T) {
	long := "package p\n\nfunc f() {\n" + strings.Repeat("\tf()\n", functionLinesMax) + "}\n"
	for says, text := range map[string]string{
		"func f has 72 lines": long,
		"501 lines":           "package p\n" + strings.Repeat("\n", fileLinesMax-1),
		"columns":             "package p\n\n// " + strings.Repeat("x", columnsMax) + "\n",
		"unfinished":          "package p\n\n// TO" + "DO\n",
		"F is exported":       "package p\n\nfunc F() {}\n",
		"M is exported":       "package p\n\n// T is.\ntype T int\n\nfunc (t *T) M() {}\n",
		"T is exported":       "package p\n\ntype T int\n",
		"C is exported":       "package p\n\nconst C = 1\n",
	} {
		s, err := parse("p.go", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := tidy(s); !slices.ContainsFunc(got, func(f string) bool { return strings.Contains(f, says) }) {
			t.Errorf("%s: found %v", says, got)
		}
	}
}

// disorder returns what a pure room must not do even without importing
// anything: start goroutines, select, or range over a map, whose order is
// random, other than through sorted keys.
func disorder(set *token.FileSet, files []*ast.File, info *types.Info) (found []string) {
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			what := ""
			switch n := n.(type) {
			case *ast.GoStmt:
				what = "starts a goroutine"
			case *ast.SelectStmt:
				what = "selects"
			case *ast.RangeStmt:
				if _, ok := info.TypeOf(n.X).Underlying().(*types.Map); ok {
					what = "ranges over a map"
				}
			}
			if what != "" {
				found = append(found, fmt.Sprintf("%v: %s", set.Position(n.Pos()), what))
			}
			return true
		})
	}
	return found
}

func checkTypes(set *token.FileSet, path string, files []*ast.File) (*types.Info, error) {
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Uses: map[*ast.Ident]types.Object{},
		Defs: map[*ast.Ident]types.Object{}}
	conf := types.Config{Importer: importer.ForCompiler(set, "source", nil)}
	_, err := conf.Check(path, set, files, info)
	return info, err
}

// TestPureRoomsAreOrderly: no goroutine, no select, no map in its random order.
func TestPureRoomsAreOrderly(t *testing.T) {
	for _, p := range packages(t) {
		r, _ := room(p.ImportPath)
		if !slices.Contains(pure, r) {
			continue
		}
		set := token.NewFileSet()
		var files []*ast.File
		for _, name := range p.GoFiles {
			f, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, f)
		}
		info, err := checkTypes(set, p.ImportPath, files)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range disorder(set, files, info) {
			t.Error(d)
		}
	}
}

// TestDisorderIsSeen: each kind of disorder is found.
func TestDisorderIsSeen(t *testing.T) {
	text := "package p\nfunc f(m map[int]int) {\n\tgo f(m)\n\tselect {}\n\tfor range m {\n\t}\n}\n"
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, "p.go", text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	info, err := checkTypes(set, "p", []*ast.File{f})
	if err != nil {
		t.Fatal(err)
	}
	if got := disorder(set, []*ast.File{f}, info); len(got) != 3 {
		t.Errorf("found %v", got)
	}
}
