package host

import (
	"strconv"

	"vatwarehouse/worker"
	"vatwarehouse/worker/instrument"
)

// Version is what a directory's life depends on.
type Version struct {
	Format   string // of directories that this program makes and opens
	Rewriter string // what programs go through; observable: see Meaning
	Costs    string // of instructions in fuel; observable: see Meaning
	Engine   string // what runs them; private
}

// Versions returns the versions of this program.
func Versions() Version {
	return Version{
		Format: formatVersion, Rewriter: strconv.Itoa(instrument.Version),
		Costs: strconv.Itoa(instrument.CostVersion), Engine: worker.Version,
	}
}
