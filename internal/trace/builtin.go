package trace

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed traces/*.trace
var builtin embed.FS

const (
	builtinDir  = "traces/"
	builtinType = ".trace"
)

// BuiltinNames lists the traces that come with the program, sorted: each was recorded from
// the scenario of its name.
func BuiltinNames() (names []string) {
	entries, err := builtin.ReadDir(strings.TrimSuffix(builtinDir, "/"))
	if err != nil {
		panic(fmt.Sprintf("trace: read embedded traces: %v", err))
	}
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), builtinType))
	}
	return names
}

// Builtin returns the file of a trace that comes with the program, and whether there is one.
func Builtin(name string) ([]byte, bool) {
	b, err := builtin.ReadFile(builtinDir + name + builtinType)
	return b, err == nil
}
