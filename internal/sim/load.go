package sim

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"

	"vatwarehouse/guest"
)

// moduleBytesMax bounds a program's file.
const moduleBytesMax = 16 << 20

// Load reads a scenario's file and the programs that it brings. What is wrong
// with it is an *[Error].
func Load(path string) (*Scenario, error) {
	text, err := readBounded(path, textBytesMax)
	if err != nil {
		return nil, fmt.Errorf("read scenario: %w", err)
	}
	return parse(path, text, func(relative string) ([]byte, error) {
		if !filepath.IsAbs(relative) {
			relative = filepath.Join(filepath.Dir(path), relative)
		}
		return readBounded(relative, moduleBytesMax)
	})
}

// Parse is Load for a text that is no file: it can bring no programs.
func Parse(name string, text []byte) (*Scenario, error) {
	return parse(name, text, func(string) ([]byte, error) {
		return nil, fmt.Errorf("only a scenario in a file can bring programs: %w", fs.ErrNotExist)
	})
}

// readBounded reads a plain file, unless it is larger than could make sense.
func readBounded(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > most {
		return nil, fmt.Errorf("%s: %v of %d bytes: want a file of at most %d",
			path, info.Mode().Type(), info.Size(), most)
	}
	return os.ReadFile(path)
}

// compiler turns a file into a Scenario.
type compiler struct {
	r      *reader
	s      *Scenario
	groups map[string]*group
	things map[string]int // devices and meters, by name: in Scenario.things
	names  []string       // of groups, in order
	read   func(path string) ([]byte, error)
}

// parse loads a text; read finds the programs that it brings.
func parse(name string, text []byte, read func(string) ([]byte, error)) (*Scenario, error) {
	r, top := newReader(name, text)
	if r.err != nil {
		return nil, r.err
	}
	c := &compiler{r: r, groups: map[string]*group{}, things: map[string]int{}, read: read}
	c.s = &Scenario{Name: name, Text: text}
	c.scenario(top)
	if r.err != nil {
		return nil, r.err
	}
	return c.s, nil
}

// scenario reads the fields in the order in which they need each other, not that
// of the file.
func (c *compiler) scenario(top ast.Node) {
	f := c.r.mapping(top, "a scenario", "about!", "seed!", "options", "programs", "devices",
		"meters", "time", "vats!", "setup", "workload", "length", "audit")
	c.s.About = c.line(f.known["about"])
	if c.s.Seed = c.line(f.known["seed"]); c.r.err == nil && c.s.Seed == "" {
		c.r.fault(f.known["seed"], "a seed is at least one letter")
	}
	c.options(f.known["options"])
	c.programs(f.known["programs"])
	c.devices(f.known["devices"])
	c.meters(f.known["meters"])
	c.time(f.known["time"])
	c.vats(f.known["vats"])
	c.setup(f.known["setup"])
	c.workload(f.known["workload"])
	c.length(top, f.known["length"])
	c.audit(f.known["audit"])
	if c.r.err != nil {
		return
	}
	// Those of the second kind are in the shape only where they are in the file.
	c.shape(f, "vats", "setup", "workload", "audit")
	for _, name := range []string{"devices", "meters", "time"} {
		if f.known[name] != nil {
			c.shape(f, name)
		}
	}
}

func (c *compiler) shape(f fields, names ...string) {
	for _, name := range names {
		c.s.shape = append(c.s.shape, name...)
		if n := f.known[name]; n != nil {
			c.s.shape = appendShape(c.s.shape, n)
		}
	}
}

// lineBytesMax bounds the seed and what the scenario is about.
const lineBytesMax = 200

// line reads a text of one line.
func (c *compiler) line(n ast.Node) string {
	text := c.r.text(n, "a text")
	hidden := func(r rune) bool { return !unicode.IsPrint(r) }
	if strings.ContainsFunc(text, hidden) || len(text) > lineBytesMax {
		c.r.fault(n, "want one line of at most %d bytes, all of them printable", lineBytesMax)
	}
	return text
}

func (c *compiler) options(n ast.Node) {
	if n == nil {
		return
	}
	const most = 1 << 30
	f := c.r.mapping(n, "options", "max_vats", "snapshot_initial", "snapshot_interval", "block")
	number := func(name string) int {
		return int(c.r.number(f.known[name], name, 1, most, 0))
	}
	o := Options{
		MaxVats: number("max_vats"), SnapshotInterval: number("snapshot_interval"),
		Block: number("block"),
	}
	if s, ok := f.known["snapshot_initial"].(*ast.StringNode); ok {
		if s.Value != "never" {
			c.r.fault(s, "snapshot_initial %q: want a number from 1, or never", s.Value)
		}
		o.SnapshotInitial = SnapshotNever
	} else {
		o.SnapshotInitial = number("snapshot_initial")
	}
	c.s.Options = o
}

// programs reads the programs that the scenario brings.
func (c *compiler) programs(n ast.Node) {
	if n == nil || c.r.err != nil {
		return
	}
	m, ok := n.(*ast.MappingNode)
	if !ok {
		c.r.wrong(n, "a mapping of names to files")
		return
	}
	for _, v := range m.Values {
		p := program{name: v.Key.GetToken().Value}
		p.path = c.r.text(v.Value, "the path of a .wasm file")
		if _, taken := guest.Program(p.name); taken {
			c.r.fault(v.Key, "%q is a built-in program: give yours another name", p.name)
		}
		if c.r.err != nil {
			return
		}
		var err error
		if p.code, err = c.read(p.path); err != nil {
			c.r.fault(v.Value, "program %s: %v", p.name, err)
		}
		c.s.programs = append(c.s.programs, p)
	}
}

// program returns the number of a program by name.
func (c *compiler) program(n ast.Node) int {
	name := c.r.text(n, "the name of a program")
	known := func(p program) bool { return p.name == name }
	if at := slices.IndexFunc(c.s.programs, known); at >= 0 || c.r.err != nil {
		return at
	}
	code, ok := guest.Program(name)
	if !ok {
		var own []string
		for _, p := range c.s.programs {
			if p.path != "" {
				own = append(own, p.name)
			}
		}
		c.r.fault(n, "there is no program %q: built in are %s; under programs, there are %s", name,
			strings.Join(guest.Names(), ", "), strings.Join(append(own, "no others"), ", "))
		return 0
	}
	c.s.programs = append(c.s.programs, program{name: name, code: code})
	return len(c.s.programs) - 1
}

// length reads when the scenario ends.
func (c *compiler) length(top, n ast.Node) {
	if n != nil {
		f := c.r.mapping(n, "length", "deliveries", "messages")
		c.s.Length = Length{
			Deliveries: c.r.number(f.known["deliveries"], "deliveries", 1, messagesMax, 0),
			Messages:   c.r.number(f.known["messages"], "messages", 1, messagesMax, 0),
		}
	}
	endless := func(e entry) bool { return e.messages == 0 }
	if c.s.Length == (Length{}) && slices.ContainsFunc(c.s.workload, endless) {
		at := n
		if at == nil {
			at = top
		}
		c.r.fault(at, "no end: give length: {deliveries: N}, or messages: N in each workload entry")
	}
}
