package guest_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vatwarehouse/guest"
)

const guestDir = "../../guest"

// manifest is guest/manifest.json.
type manifest struct {
	Clang, LLD, Command string
	Programs            map[string]string
	Kit                 string `json:"go.tar.gz"`
}

func readManifest(t testing.TB) (m manifest) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(readFile(t, filepath.Join(guestDir, "manifest.json"))))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

func sha(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// TestManifestSums: what is committed, and what is embedded, is what was built.
func TestManifestSums(t *testing.T) {
	t.Parallel()
	m := readManifest(t)
	var names []string
	for name, sum := range m.Programs {
		names = append(names, name)
		embedded, ok := guest.Program(name)
		onDisk := readFile(t, filepath.Join(guestDir, "c", name+".wasm"))
		if !ok || sha(embedded) != sum || sha(onDisk) != sum {
			t.Errorf("%s: embedded %s, on disk %s, manifest %s", name, sha(embedded), sha(onDisk), sum)
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, guest.Names()) {
		t.Errorf("the manifest has %v, the package %v", names, guest.Names())
	}
	if sum := sha(readFile(t, filepath.Join(guestDir, "go.tar.gz"))); sum != m.Kit {
		t.Errorf("go.tar.gz: %s, manifest %s", sum, m.Kit)
	}
	if _, ok := guest.Program("nobody"); ok {
		t.Error("there is a program of no name")
	}
}

// TestProgramsAreWhatTheirSourcesGive: every program is compiled again and compared
// byte for byte, where the tools are those of the manifest.
func TestProgramsAreWhatTheirSourcesGive(t *testing.T) {
	t.Parallel()
	m := readManifest(t)
	for tool, want := range map[string]string{"clang-14": m.Clang, "wasm-ld-14": m.LLD} {
		out, err := exec.Command(tool, "--version").Output()
		got, _, _ := strings.Cut(string(out), "\n")
		if err != nil || got != want {
			t.Logf("not compiled: the manifest wants %q of %s, here is %q (%v)", want, tool, got, err)
			return
		}
	}
	sources, err := filepath.Glob(filepath.Join(guestDir, "c", "*.c"))
	if err != nil || len(sources) != len(m.Programs) {
		t.Fatalf("%d sources, %d programs: %v", len(sources), len(m.Programs), err)
	}
	for name, sum := range m.Programs {
		out := filepath.Join(t.TempDir(), "out.wasm")
		args := strings.Fields(strings.ReplaceAll(m.Command, "NAME", name))
		args[slices.Index(args, "-o")+1] = out
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = guestDir
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v: %s", args, err, said)
		}
		if got := sha(readFile(t, out)); got != sum {
			t.Errorf("%s: its source gives %s, the manifest has %s: run guest/build.sh", name, got, sum)
		}
	}
}

// TestArchiveIsTheKit: the embedded archive has the files of guest/go, all and no
// others, byte for byte, and nothing of the machine it was made on.
func TestArchiveIsTheKit(t *testing.T) {
	t.Parallel()
	onDisk := map[string][]byte{}
	collect := func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			name, _ := filepath.Rel(guestDir, path)
			onDisk[filepath.ToSlash(name)] = readFile(t, path)
		}
		return err
	}
	if err := filepath.WalkDir(filepath.Join(guestDir, "go"), collect); err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(readFile(t, filepath.Join(guestDir, "go.tar.gz"))))
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b, onDisk[h.Name]) {
			t.Errorf("%s differs from the archive: run guest/build.sh", h.Name)
		}
		if h.ModTime.Unix() != 0 || h.Uid != 0 || h.Uname != "" || h.Mode != 0o644 {
			t.Errorf("%s: time %v, owner %d %q, mode %o", h.Name, h.ModTime, h.Uid, h.Uname, h.Mode)
		}
		delete(onDisk, h.Name)
	}
	for name := range onDisk {
		t.Errorf("%s is not in the archive: run guest/build.sh", name)
	}
}

// TestUnpackedKit: UnpackGo writes the kit's module and every program of GoNames.
func TestUnpackedKit(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := guest.UnpackGo(dir); err != nil {
		t.Fatal(err)
	}
	mains, err := filepath.Glob(filepath.Join(dir, "go", "*", "main.go"))
	if err != nil || len(mains) != len(guest.GoNames()) {
		t.Fatalf("programs %v, want %v: %v", mains, guest.GoNames(), err)
	}
	for _, name := range guest.GoNames() {
		if !slices.Contains(mains, filepath.Join(dir, "go", name, "main.go")) {
			t.Errorf("no program %s", name)
		}
	}
	if err := guest.UnpackGo(filepath.Join(dir, "go", "go.mod")); err == nil {
		t.Error("unpacked into a file")
	}
}

// TestBuildGo: a program in Go is the same bytes whenever and wherever it is built,
// and what cannot be built is an error that says so.
func TestBuildGo(t *testing.T) {
	temp := t.TempDir()
	t.Setenv("TMPDIR", temp)
	if _, err := guest.BuildGo(context.Background(), "../counter"); err == nil ||
		!strings.Contains(err.Error(), `build Go guest "../counter"`) {
		t.Errorf("a program of no such name: %v", err)
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	if _, err := guest.BuildGo(stopped, "counter"); !errors.Is(err, context.Canceled) {
		t.Errorf("a build that was stopped: %v", err)
	}
	if testing.Short() {
		t.Log("-short: nothing is built")
		return
	}
	again, err := guest.BuildGo(context.Background(), "counter")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(again, code(t, "go", "counter")) {
		t.Error("two builds of the same program differ")
	}
	if left, err := os.ReadDir(temp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestProgramsAreSmall: the programs in C are small files in little memory: many of
// them can be paged in. Of comms, which has room for the longest messages, there is one.
func TestProgramsAreSmall(t *testing.T) {
	t.Parallel()
	for _, name := range guest.Names() {
		code, _ := guest.Program(name)
		heap, _ := program(t, reference, name).Genesis()
		pages := heap.Size >> 16
		bytesMax, pagesMax := 16<<10, uint64(1)
		switch name {
		case "puppet":
			pagesMax = 2
		case "comms":
			bytesMax, pagesMax = 32<<10, 8
		}
		if len(code) > bytesMax || pages > pagesMax {
			t.Errorf("%s: %d bytes of code, %d pages of memory", name, len(code), pages)
		}
	}
}
