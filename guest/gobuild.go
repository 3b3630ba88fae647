package guest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	_ "embed" // the archive of the Go kit
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
)

//go:embed go.tar.gz
var kit []byte

// goNames are the programs in Go: folders of the kit.
var goNames = []string{"clerk", "counter", "glutton", "locker", "pingpong", "sampler", "trader"}

// GoNames returns the names of the programs in Go, sorted.
func GoNames() []string { return slices.Clone(goNames) }

// BuildGo builds the program in Go of that name, with the go command that is found
// and nothing from the network: a few seconds at first, then as its build cache
// allows. The same toolchain gives the same bytes.
func BuildGo(ctx context.Context, name string) ([]byte, error) {
	code, err := buildGo(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("build Go guest %q: %w", name, err)
	}
	return code, nil
}

func buildGo(ctx context.Context, name string) (code []byte, err error) {
	if !slices.Contains(goNames, name) {
		return nil, fmt.Errorf("there is no such program, but %q", goNames)
	}
	dir, err := os.MkdirTemp("", "vat-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := UnpackGo(dir); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false",
		"-buildmode=c-shared", "-ldflags=-s -w", "-o", filepath.Join(dir, "out.wasm"), "./"+name)
	cmd.Dir = filepath.Join(dir, "go")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "GOFLAGS=", "GOWORK=off",
		"GOPROXY=off", "GOTOOLCHAIN=local", "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return os.ReadFile(filepath.Join(dir, "out.wasm"))
}

// kitFileBytesMax bounds one file of the kit, in bytes.
const kitFileBytesMax = 1 << 20

// UnpackGo writes the Go kit, with its programs, to the folder go of dir: a module
// to build vats of one's own against, by a replace directive.
func UnpackGo(dir string) error {
	z, err := gzip.NewReader(bytes.NewReader(kit))
	if err != nil {
		return fmt.Errorf("unpack the Go kit: %w", err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			err = unpackFile(dir, h, r)
		}
		if err != nil {
			return fmt.Errorf("unpack the Go kit to %s: %w", dir, err)
		}
	}
}

func unpackFile(dir string, h *tar.Header, r io.Reader) error {
	if !filepath.IsLocal(h.Name) || h.Size > kitFileBytesMax {
		return fmt.Errorf("%q of %d bytes, limit %d, or it leads elsewhere",
			h.Name, h.Size, kitFileBytesMax)
	}
	to := filepath.Join(dir, filepath.FromSlash(h.Name))
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}
