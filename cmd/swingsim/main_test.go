package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"vatwarehouse/guest"
	"vatwarehouse/host"
	"vatwarehouse/vfs"
)

// TestMain makes this test's binary serve as swingsim in the scripts.
func TestMain(m *testing.M) {
	if host.ServeWorker() {
		return
	}
	testscript.Main(m, map[string]func(){"swingsim": main, "sum": sum})
}

// commands are what scripts have beside testscript's own.
var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"code": code, "json": jsonValue, "cut": cut, "program": program, "unhex": unhex,
	"flip": flip, "appears": appears, "replace": replace, "lock": lock, "unlock": unlock,
}

// TestScripts: every script in testdata/script does what it says. Each tells in its
// first lines what it promises.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Cmds: commands})
}

// TestPlantedScriptsFail: scripts that claim what is not so do fail: a wrong exit
// code, a wrong value, a value that is not there, an interrupt that does not come.
func TestPlantedScriptsFail(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("testdata/planted/*.txtar")
	if err != nil || len(scripts) < 4 {
		t.Fatalf("%d scripts, %v", len(scripts), err)
	}
	for _, script := range scripts {
		f := &failing{dir: t}
		testscript.RunT(f, testscript.Params{Files: []string{script}, Cmds: commands})
		if !f.failed {
			t.Errorf("%s passes", script)
		}
	}
}

// failing is a test that is to fail.
type failing struct {
	dir    *testing.T
	failed bool
}

func (f *failing) Skip(...any)                      {}
func (f *failing) Parallel()                        {}
func (f *failing) Log(...any)                       {}
func (f *failing) Verbose() bool                    { return false }
func (f *failing) Fatal(...any)                     { f.FailNow() }
func (f *failing) FailNow()                         { f.failed = true; panic(f) }
func (f *failing) Deadline() (d time.Time, ok bool) { return d, false }
func (f *failing) Run(_ string, do func(t testscript.T)) {
	defer func() {
		if r := recover(); r != nil && r != any(f) {
			panic(r)
		}
	}()
	do(f)
}

// code N COMMAND ARG…: the command's exit code is N. Its output is the script's.
func code(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND ARG…")
	}
	cmd := command(ts, args[1:])
	cmd.Stdout, cmd.Stderr = ts.Stdout(), ts.Stderr()
	if got := exitCode(ts, cmd.Run()); fmt.Sprint(got) != args[0] {
		ts.Fatalf("%s: exit code %d, want %s", strings.Join(args[1:], " "), got, args[0])
	}
}

func command(ts *testscript.TestScript, args []string) *exec.Cmd {
	path := args[0]
	for _, dir := range filepath.SplitList(ts.Getenv("PATH")) {
		if found := filepath.Join(dir, args[0]); path == args[0] {
			if _, err := os.Stat(found); err == nil {
				path = found
			}
		}
	}
	cmd := exec.Command(path, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"), "PATH="+ts.Getenv("PATH"))
	return cmd
}

func exitCode(ts *testscript.TestScript, err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	ts.Check(err)
	return 0
}

// cut SIGNAL BLOCKS COMMAND ARG…: the command is sent the signal once it has told
// (by -v) of so many blocks, and ends by it: -INT with code 130, -KILL at once.
func cut(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: cut SIGNAL BLOCKS COMMAND ARG…")
	}
	blocks, err := strconv.Atoi(args[1])
	ts.Check(err)
	signal, want := syscall.SIGINT, 130
	if args[0] == "KILL" {
		signal, want = syscall.SIGKILL, -1
	}
	cmd := command(ts, append(args[2:], "-v"))
	cmd.Stdout = ts.Stdout()
	pipe, err := cmd.StderrPipe()
	ts.Check(err)
	ts.Check(cmd.Start())
	lines := bufio.NewScanner(pipe)
	for blocks > 0 && lines.Scan() {
		if strings.Contains(lines.Text(), "msg=block") {
			blocks--
		}
	}
	ts.Check(cmd.Process.Signal(signal))
	for lines.Scan() {
		fmt.Fprintln(ts.Stderr(), lines.Text())
	}
	if got := exitCode(ts, cmd.Wait()); got != want || blocks > 0 {
		ts.Fatalf("it ended with code %d, %d blocks early; want code %d", got, blocks, want)
	}
}

// json FILE PATH WANT: in the first JSON value of the file (or "stdout"), what is at
// the path (.a.b[0]; .a@ is a length) is written WANT; with ! it is not. WANT can be
// >N: a number greater than N. With "-> NAME" in its place the value becomes $NAME.
func jsonValue(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: json FILE PATH WANT, or json FILE PATH -> NAME")
	}
	var v any
	d := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	d.UseNumber()
	ts.Check(d.Decode(&v))
	got, err := query(v, args[1])
	ts.Check(err)
	text := fmt.Sprint(got)
	if args[2] == "->" && len(args) == 4 {
		ts.Setenv(args[3], text)
		return
	}
	holds := text == args[2]
	if least, ok := strings.CutPrefix(args[2], ">"); ok {
		n, err := strconv.ParseFloat(text, 64)
		ts.Check(err)
		bound, err := strconv.ParseFloat(least, 64)
		ts.Check(err)
		holds = n > bound
	}
	if holds == neg {
		ts.Fatalf("%s is %s, want %s (not: %v)", args[1], text, args[2], neg)
	}
}

// query returns what is at a path of a JSON value.
func query(v any, path string) (any, error) {
	rest := path
	for rest != "" {
		switch {
		case rest == "@":
			if list, ok := v.([]any); ok {
				return len(list), nil
			}
			return nil, fmt.Errorf("%s: no list", path)
		case rest[0] == '[':
			at, after, _ := strings.Cut(rest[1:], "]")
			i, err := strconv.Atoi(at)
			list, ok := v.([]any)
			if err != nil || !ok || i >= len(list) {
				return nil, fmt.Errorf("%s: no item %s", path, at)
			}
			v, rest = list[i], after
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[@")
			if end < 0 {
				end = len(rest) - 1
			}
			fields, ok := v.(map[string]any)
			value, has := fields[rest[1:1+end]]
			if !ok || !has {
				return nil, fmt.Errorf("%s: no field %q", path, rest[1:1+end])
			}
			v, rest = value, rest[1+end:]
		default:
			return nil, fmt.Errorf("%s: what is %q", path, rest)
		}
	}
	return v, nil
}

// program NAME FILE: writes the module of a built-in program.
func program(ts *testscript.TestScript, _ bool, args []string) {
	b, ok := guest.Program(args[0])
	if !ok {
		ts.Fatalf("no program %s", args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o600))
}

// unhex FILE DIGITS…: writes bytes.
func unhex(ts *testscript.TestScript, _ bool, args []string) {
	b, err := hex.DecodeString(strings.Join(args[1:], ""))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o600))
}

// flip GLOB OFFSET: flips a bit in the first file of the name.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	names, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(names) == 0 {
		ts.Fatalf("no file %s", args[0])
	}
	at, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	f, err := os.OpenFile(names[0], os.O_RDWR, 0)
	ts.Check(err)
	b := make([]byte, 1)
	_, err = f.ReadAt(b, at)
	ts.Check(err)
	b[0] ^= 1
	_, err = f.WriteAt(b, at)
	ts.Check(errors.Join(err, f.Close()))
}

// sum DIR: lists everything in a directory: names, modes, times and hashes.
func sum() {
	err := filepath.WalkDir(os.Args[1], func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		var b []byte
		if err == nil && !d.IsDir() {
			b, err = os.ReadFile(path)
		}
		fmt.Printf("%s %v %d %x\n", path, info.Mode(), info.ModTime().UnixNano(), sha256.Sum256(b))
		return err
	})
	if err != nil {
		panic(err)
	}
}

// locked are the files that scripts have locked, by script.
var locked sync.Map

// lock FILE: takes the lock of a directory until unlock.
func lock(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	dir, err := vfs.Open(filepath.Dir(path))
	ts.Check(err)
	held, err := dir.Lock(filepath.Base(path))
	ts.Check(err)
	locked.Store(ts, held)
	ts.Defer(func() { unlock(ts, false, nil); dir.Close() })
}

// unlock gives the lock back.
func unlock(ts *testscript.TestScript, _ bool, _ []string) {
	if held, ok := locked.LoadAndDelete(ts); ok {
		ts.Check(held.(io.Closer).Close())
	}
}

// appears FILE: waits until there is one.
func appears(ts *testscript.TestScript, _ bool, args []string) {
	for range 600 {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("%s does not appear", args[0])
}

// replace OLD NEW FILE: replaces text in a file.
func replace(ts *testscript.TestScript, _ bool, args []string) {
	b := []byte(ts.ReadFile(args[2]))
	if !bytes.Contains(b, []byte(args[0])) {
		ts.Fatalf("%s has no %q", args[2], args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), bytes.ReplaceAll(b, []byte(args[0]), []byte(args[1])), 0o600))
}

// TestQuery: the paths that scripts use, right and wrong.
func TestQuery(t *testing.T) {
	t.Parallel()
	var v any
	if err := json.Unmarshal([]byte(`{"a":{"b":[1,{"c":"x"}]},"d":null}`), &v); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		".a.b[1].c": "x", ".a.b@": "2", ".a.b[0]": "1", ".d": "<nil>",
		".e": "no field", ".a.b[2]": "no item", ".a@": "no list", "x": "what is", ".a.b.c": "no field",
	} {
		got, err := query(v, path)
		if text := fmt.Sprint(got, err); !strings.Contains(text, want) {
			t.Errorf("%s: %s, want %s", path, text, want)
		}
	}
}

// output runs the program in this process.
func output(t *testing.T, args ...string) (code int, out, err string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), args, &o, &e)
	return code, o.String(), e.String()
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
