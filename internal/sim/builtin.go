package sim

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"strings"

	"vatwarehouse/host"
)

//go:embed scenarios/*.yaml
var builtin embed.FS

const (
	builtinDir  = "scenarios/"
	builtinType = ".yaml"
)

// BuiltinNames lists the scenarios that come with the program, sorted.
func BuiltinNames() (names []string) {
	entries, err := builtin.ReadDir(strings.TrimSuffix(builtinDir, "/"))
	if err != nil {
		panic(fmt.Sprintf("sim: read embedded scenarios: %v", err))
	}
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), builtinType))
	}
	return names
}

// BuiltinText returns the file of a built-in scenario, and whether there is one.
func BuiltinText(name string) ([]byte, bool) {
	text, err := builtin.ReadFile(builtinDir + name + builtinType)
	return text, err == nil
}

// Builtin returns a built-in scenario.
func Builtin(name string) (*Scenario, error) {
	text, ok := BuiltinText(name)
	if !ok {
		return nil, fmt.Errorf("scenario %q: %w: built in are %s", name, host.ErrNotFound,
			strings.Join(BuiltinNames(), ", "))
	}
	return Parse(name, text)
}

// Admit reports why a program that the scenario brings would be refused, before
// anything is made on disk. Built-in ones are not looked at.
func (s *Scenario) Admit(ctx context.Context) (err error) {
	var h *host.Host
	for _, p := range s.programs {
		if p.path == "" {
			continue
		}
		if h == nil {
			if h, err = host.Open(ctx, "", &host.Options{Interpreter: true}); err != nil {
				return err
			}
			defer func() { err = errors.Join(err, h.Close(ctx)) }()
		}
		if _, err := h.Install(ctx, p.code); err != nil {
			return fmt.Errorf("program %s (%s): %w", p.name, p.path, err)
		}
	}
	return nil
}
