package bench

import (
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// Machine says where something was measured, and with which program. What the
// system does not tell is "".
type Machine struct {
	CPU        string `json:"cpu"`
	CPUs       int    `json:"cpus"`
	Memory     string `json:"memory"`
	System     string `json:"system"` // with its version
	Arch       string `json:"arch"`
	FileSystem string `json:"file_system"` // that of the directory measured in
	Go         string `json:"go"`
	Revision   string `json:"revision"` // of the program; "" if it was built without one
}

// ThisMachine returns the fingerprint of the machine, for measurements in a directory;
// "" is the system's for temporary files.
func ThisMachine(dir string) Machine {
	if dir == "" {
		dir = os.TempDir()
	}
	m := Machine{
		CPU:        fieldOf("/proc/cpuinfo", "model name"),
		CPUs:       runtime.NumCPU(),
		Memory:     fieldOf("/proc/meminfo", "MemTotal"),
		System:     runtime.GOOS,
		Arch:       runtime.GOARCH,
		FileSystem: fileSystem(dir),
		Go:         runtime.Version(),
	}
	if release, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System += " " + strings.TrimSpace(string(release))
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				m.Revision = s.Value
			}
		}
	}
	return m
}

// Same reports whether two fingerprints are of equal machines, whatever was measured.
func (m Machine) Same(n Machine) bool {
	m.Revision, m.Go = n.Revision, n.Go
	return m == n
}

// fieldOf returns the first value of that name in a file of lines "name : value".
func fieldOf(path, name string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		key, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// fileSystem returns the kind of file system that a directory is on.
func fileSystem(dir string) string {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	b, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return ""
	}
	kind, longest := "", -1
	for line := range strings.Lines(string(b)) {
		// Fields 4 and on, then a dash, then the kind: see proc(5).
		before, after, ok := strings.Cut(line, " - ")
		fields, kinds := strings.Fields(before), strings.Fields(after)
		if !ok || len(fields) < 5 || len(kinds) < 1 {
			continue
		}
		at := fields[4]
		inside := at == "/" || dir == at || strings.HasPrefix(dir, at+"/")
		if inside && len(at) >= longest {
			kind, longest = kinds[0], len(at)
		}
	}
	return kind
}
