package instrument

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tetratelabs/wazero"
)

// specHost is what the scripts import by the name of spectest, so far as they
// import functions.
var specHost = []Import{
	{"spectest", "print", nil, nil},
	{"spectest", "print_i32", []ValType{I32}, nil},
	{"spectest", "print_i64", []ValType{I64}, nil},
	{"spectest", "print_f32", []ValType{F32}, nil},
	{"spectest", "print_f64", []ValType{F64}, nil},
	{"spectest", "print_i32_f32", []ValType{I32, F32}, nil},
	{"spectest", "print_f64_f64", []ValType{F64, F64}, nil},
}

// specCounts is what scripts came to.
type specCounts struct {
	modules    int // that a script runs
	admitted   int // of these, as they are
	completed  int // of these, after they were given the memory that they lack
	bad        int // modules that must not run, and did not
	text       int // of these, in the text format, which nobody here reads
	assertions int // actions that both forms did alike in both engines
	nans       int // of these, with another NaN in the normal form
	skipped    int // actions on modules that are refused
	refused    map[string]int
}

func (c *specCounts) add(d *specCounts) {
	c.modules += d.modules
	c.admitted += d.admitted
	c.completed += d.completed
	c.bad += d.bad
	c.text += d.text
	c.assertions += d.assertions
	c.nans += d.nans
	c.skipped += d.skipped
	for why, n := range d.refused {
		c.refused[why] += n
	}
}

// specStage is where one form of a script's modules lives, in one engine.
type specStage struct {
	engine
	rewritten bool
	runtime   wazero.Runtime
	last      *instance
	all       []*instance
	named     map[string]*instance
}

func (s *specStage) String() string {
	if s.rewritten {
		return s.name + ", normal form"
	}
	return s.name + ", original"
}

// at returns a module of the script, or nil if it was refused.
func (s *specStage) at(name string) *instance {
	if name == "" {
		return s.last
	}
	return s.named[name]
}

// specPlayer plays a script on four stages: both forms in both engines.
type specPlayer struct {
	script specScript
	stages []*specStage // original and normal form of each engine in turn
	allow  []Import
	adrift bool // a refused module would have changed one that plays
	fault  fault
	spoil  func(code []byte) []byte // a mistake planted into the normal form
	specCounts
}

func newSpecPlayer(script specScript) (*specPlayer, error) {
	ctx := context.Background()
	p := &specPlayer{script: script, allow: slices.Clone(specHost), spoil: raw}
	p.refused = map[string]int{}
	for _, e := range engines {
		for _, rewritten := range []bool{false, true} {
			s := &specStage{engine: e, rewritten: rewritten, named: map[string]*instance{}}
			s.runtime = wazero.NewRuntimeWithConfig(ctx, e.config())
			p.stages = append(p.stages, s)
			if err := hostModules(ctx, s.runtime, specHost); err != nil {
				return p, err
			}
		}
	}
	return p, nil
}

func (p *specPlayer) close() {
	for _, s := range p.stages {
		_ = s.runtime.Close(context.Background())
	}
}

// play plays the whole script, and returns what is not as it should be.
func (p *specPlayer) play() error {
	for i, c := range p.script.Commands {
		as := ""
		if next := i + 1; next < len(p.script.Commands) &&
			p.script.Commands[next].Type == "register" {
			as = p.script.Commands[next].As
		}
		if err := p.command(c, as); err != nil {
			return fmt.Errorf("line %d, %s: %w", c.Line, c.Type, err)
		}
	}
	return nil
}

func (p *specPlayer) command(c specCommand, as string) error {
	switch c.Type {
	case "module":
		return p.module(c, as)
	case "register": // is done with the module before it
		return nil
	case "action", "assert_return", "assert_trap", "assert_exhaustion", "assert_exception":
		return p.act(c)
	case "assert_invalid", "assert_malformed", "assert_unlinkable", "assert_uninstantiable":
		return p.mustNotRun(c)
	}
	return errors.New("a command that there was not before")
}

// specLimits leave the memory as large as the format does,
// and take the widest of their modules.
var specLimits = Limits{
	MemoryPages: addressablePages, BranchTargets: 1 << 16, TypeValues: 1 << 10,
}

// module makes a module on all stages, unless it is refused.
func (p *specPlayer) module(c specCommand, as string) error {
	p.modules++
	for _, s := range p.stages {
		s.last = nil
		delete(s.named, c.Name)
	}
	code, n, err := p.admit(c)
	if err != nil {
		p.refused[reason(err)]++
		p.adrift = p.adrift || !strings.Contains(err.Error(), `"spectest".`) &&
			strings.Contains(err.Error(), "import ")
		return nil
	}
	for _, s := range p.stages {
		if s.last, err = p.born(s, code, n, as); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
		s.named[c.Name] = s.last
		s.all = append(s.all, s.last)
	}
	if as != "" {
		for _, e := range n.Exports {
			p.allow = append(p.allow, Import{as, e.Name, e.Params, e.Results})
		}
	}
	return p.agree(c.Name)
}

// admit rewrites a module. One that lacks nothing but a memory is given one.
func (p *specPlayer) admit(c specCommand) ([]byte, *Normal, error) {
	code, err := os.ReadFile(filepath.Join(p.script.dir, c.Filename))
	if err != nil {
		return nil, nil, err
	}
	n, err := Rewrite(code, p.allow, specLimits)
	if err == nil {
		p.admitted++
		return code, n, nil
	}
	if !lacksMemory(err) {
		return nil, nil, err
	}
	code = withMemory(code)
	if n, err = Rewrite(code, p.allow, specLimits); err == nil {
		p.completed++
	}
	return code, n, err
}

func lacksMemory(err error) bool {
	return err != nil && strings.Contains(err.Error(), "there is no memory")
}

// withMemory is a module with a memory of no pages.
func withMemory(code []byte) []byte {
	r := &reader{b: code, at: len(header), end: len(code)}
	at := r.at
	for r.left() > 0 {
		at = r.at
		if id := r.u8(); id != sectionCustom && sectionRank(id) > sectionRank(sectionMemory) {
			break
		}
		r.take(int(r.u32()))
		at = r.at
	}
	return cat(code[:at], section(sectionMemory, []byte{1, 0, 0}), code[at:])
}

var varying = regexp.MustCompile(`"[^"]*"(\."[^"]*")?|0x[0-9a-f]+|\d+`)

// reason is a refusal without what is particular to one module.
func reason(err error) string {
	var r *RefusedError
	if !errors.As(err, &r) {
		return err.Error()
	}
	return varying.ReplaceAllString(r.What, "_")
}

// born makes one form of a module on a stage.
func (p *specPlayer) born(s *specStage, code []byte, n *Normal, as string) (*instance, error) {
	b := &bench{runtime: s.runtime, n: n, fault: p.fault, name: as}
	if s.rewritten {
		code = p.spoil(n.Code)
	}
	c, err := s.runtime.CompileModule(context.Background(), code)
	if err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}
	if !s.rewritten {
		return b.instantiate(c, true)
	}
	b.normal = c
	return b.birth()
}

// mustNotRun checks that a module that is malformed, invalid, or cannot be
// linked or instantiated is stopped before it runs.
func (p *specPlayer) mustNotRun(c specCommand) error {
	if p.bad++; c.ModuleType == "text" {
		p.text++
		return nil
	}
	code, err := os.ReadFile(filepath.Join(p.script.dir, c.Filename))
	if err != nil {
		return err
	}
	err = p.stopped(code)
	if lacksMemory(err) && !strings.HasPrefix(c.Text, "unknown memory") {
		err = p.stopped(withMemory(code))
	}
	if err == nil && !grown[fmt.Sprintf("%s:%d", p.script.name, c.Line)] {
		return fmt.Errorf("%s runs, want %s", c.Filename, c.Text)
	}
	return nil
}

// grown are what is invalid in WASM 1.0, by script and line, and valid in 2.0: several tables,
// several results, one more type of unreachable code.
var grown = map[string]bool{
	"v1/imports:318": true, "v1/type:53": true, "v1/type:57": true, "v1/func:493": true,
	"v1/func:497": true, "v1/unreached-invalid:539": true,
}

// stopped returns what stops a module: it is refused, or no engine compiles it or
// lets it be born, in either form.
func (p *specPlayer) stopped(code []byte) error {
	n, err := Rewrite(code, p.allow, specLimits)
	if err != nil {
		return err
	}
	for _, s := range p.stages {
		if _, err = p.born(s, code, n, ""); err == nil {
			return nil
		}
	}
	return err
}

// act does something to a module on all stages, and compares what comes of it.
func (p *specPlayer) act(c specCommand) error {
	if p.stages[0].at(c.Action.Module) == nil {
		p.skipped++
		return nil
	}
	var args []uint64
	for _, a := range c.Action.Args {
		args = append(args, a.words()...)
	}
	var all [][]uint64
	var traps []string
	for _, s := range p.stages {
		for _, in := range s.all { // whatever is called by it has fuel, too
			in.fill(FuelMax, DepthMax)
		}
		results, trap := s.at(c.Action.Module).do(c.Action, args)
		all, traps = append(all, results), append(traps, trap)
	}
	if slices.ContainsFunc(traps, func(t string) bool { return t != traps[0] }) {
		return fmt.Errorf("%s traps by %q", c.Action.Field, traps)
	}
	if err := p.expected(c, all[0], traps[0]); err != nil {
		return err
	}
	for i := 1; i < len(p.stages); i += 2 {
		want := slices.Clone(all[i-1])
		if c.Action.Field == "copysign" {
			if bits, nan := c.Action.Args[1].isNaN(); nan {
				want[0] &^= 1 << (bits - 1) // a NaN has no sign
			}
		}
		if d := sameWords(want, all[i]); d != "" {
			return fmt.Errorf("%s: %s gives %s", p.stages[i], c.Action.Field, d)
		}
	}
	if err := p.canonicalIn(c, all[1]); err != nil {
		return err
	}
	if !slices.Equal(all[1], all[3]) {
		return fmt.Errorf("%s gives %x and %x", c.Action.Field, all[1], all[3])
	}
	p.assertions++
	if !slices.Equal(all[0], all[1]) {
		p.nans++
	}
	return p.agree(c.Action.Module)
}

// canonicalIn checks that where the script takes any NaN, a normal form gives the
// canonical one, unless the sign was turned.
func (p *specPlayer) canonicalIn(c specCommand, results []uint64) error {
	anyNaN := func(v specValue) bool { return strings.Contains(fmt.Sprint(v.Value), "nan:") }
	if p.adrift || c.Type != "assert_return" || !slices.ContainsFunc(c.Expected, anyNaN) {
		return nil
	}
	test := isPositive
	if strings.Contains(c.Action.Field, "neg") {
		test = isCanonical
	}
	if !acceptsAll(c.Expected, results, test) {
		return fmt.Errorf("%s gives %x, want canonical NaNs", c.Action.Field, results)
	}
	return nil
}

// expected compares what the original did with what the script wants.
func (p *specPlayer) expected(c specCommand, results []uint64, trap string) error {
	returns := c.Type == "assert_return" || c.Type == "action"
	switch {
	case p.adrift:
	case returns != (trap == ""):
		return fmt.Errorf("%s traps by %q", c.Action.Field, trap)
	case c.Type == "assert_return" && !acceptsAll(c.Expected, results, isNaN):
		return fmt.Errorf("%s gives %x, want %v", c.Action.Field, results, c.Expected)
	}
	return nil
}

// do calls a function or reads a global.
func (in *instance) do(a specAction, args []uint64) ([]uint64, string) {
	if a.Type == "invoke" {
		results, trap := in.call(a.Field, args...)
		if trap == "" && !in.hidden {
			in.settle(a.Field, results)
		}
		return results, trap
	}
	g := in.mod.ExportedGlobal(a.Field)
	if g == nil {
		return nil, "no export " + a.Field
	}
	return []uint64{narrow(ValType(g.Type()), g.Get())}, ""
}

// settle makes results canonical that are NaNs: what is done with floats that leave the
// program is the host's affair.
func (in *instance) settle(function string, results []uint64) {
	for _, t := range in.mod.ExportedFunction(function).Definition().ResultTypes() {
		switch {
		case ValType(t) == V128:
			results = results[1:]
		case ValType(t) == F32 && isNaN(results[0], 32):
			results[0] = 0x7fc00000
		case ValType(t) == F64 && isNaN(results[0], 64):
			results[0] = 0x7ff8000000000000
		}
		results = results[1:]
	}
}

// agree compares a module's memory and globals on all stages: with the original
// but for NaNs, between engines to the bit.
func (p *specPlayer) agree(name string) error {
	for i := 1; i < len(p.stages); i += 2 {
		want, got := p.stages[i-1].at(name), p.stages[i].at(name)
		if d := sameBytes(want.memory(), got.memory()); d != "" {
			return fmt.Errorf("%s: memory %s", p.stages[i], d)
		}
		if d := sameWords(want.words(false), got.words(false)); d != "" {
			return fmt.Errorf("%s: globals %s", p.stages[i], d)
		}
	}
	a, b := p.stages[1].at(name), p.stages[3].at(name)
	if !bytes.Equal(a.memory(), b.memory()) {
		return fmt.Errorf("memory of %s differs between engines", name)
	}
	if !slices.Equal(a.meter(), b.meter()) {
		return fmt.Errorf("meters of %s are %x and %x", name, a.meter(), b.meter())
	}
	if !slices.Equal(a.words(true), b.words(true)) {
		return fmt.Errorf("globals of %s are %x and %x", name, a.words(true), b.words(true))
	}
	return nil
}

// playSpec plays one script, with mistakes planted if there are any.
func playSpec(script specScript, plant func(*specPlayer)) (specCounts, error) {
	p, err := newSpecPlayer(script)
	defer p.close()
	if err != nil {
		return specCounts{}, err
	}
	plant(p)
	err = p.play()
	return p.specCounts, err
}

// specFloor is what TestSpecification came to when it was written, rounded down.
var specFloor = specCounts{
	modules: 2500, admitted: 400, completed: 1750, bad: 6830, assertions: 60_900,
}

// TestSpecification plays the scripts of the specification, and of proposals, on
// every module that is admitted and its normal form, in both engines. What is
// refused is counted by reason.
func TestSpecification(t *testing.T) {
	t.Parallel()
	total := &specCounts{refused: map[string]int{}}
	var mu sync.Mutex
	t.Run("scripts", func(t *testing.T) {
		for name, script := range specScripts(t) {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				counts, err := playSpec(script, func(*specPlayer) {})
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				total.add(&counts)
			})
		}
	})
	all := 0
	for _, why := range slices.Sorted(maps.Keys(total.refused)) {
		t.Logf("%5d refused: %s", total.refused[why], why)
		all += total.refused[why]
	}
	t.Logf("%d modules: %d admitted as they are, %d with a memory added, %d refused",
		total.modules, total.admitted, total.completed, all)
	t.Logf("%d assertions on them, %d where NaNs differ; %d on refused modules",
		total.assertions, total.nans, total.skipped)
	t.Logf("%d bad modules, %d in the text format", total.bad, total.text)
	if total.modules != total.admitted+total.completed+all {
		t.Error("some modules were neither admitted nor refused")
	}
	if f := specFloor; total.modules < f.modules || total.admitted < f.admitted ||
		total.completed < f.completed || total.bad < f.bad || total.assertions < f.assertions {
		t.Errorf("less than %+v was checked", f)
	}
}
