package guest

import (
	"embed"
	"path"
	"slices"
	"strings"
)

//go:embed c/*.wasm
var programs embed.FS

const programExt = ".wasm"

// Names returns the names of the programs in C, sorted.
func Names() (names []string) {
	entries, err := programs.ReadDir("c")
	if err != nil {
		panic("guest: the programs are not embedded: " + err.Error())
	}
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), programExt))
	}
	slices.Sort(names)
	return names
}

// Program returns the code of the program in C of that name, and whether there is
// one.
func Program(name string) ([]byte, bool) {
	code, err := programs.ReadFile(path.Join("c", name+programExt))
	return code, err == nil
}
