package main

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"vatwarehouse/host"
)

// version is what the verb prints.
type version struct {
	Format   string `json:"format"`
	Rewriter string `json:"rewriter"`
	Engine   string `json:"engine"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (a *app) versionVerb() *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the versions that matter: of directories, rewriter and engine",
		Long: `version prints the version of the directories that this program makes and opens, that
of the rewriter which programs go through (observable), and that of the engine that
runs them (private).`,
		Example: `  swingsim version --json`,
		Args:    cobra.NoArgs,
	}
	return a.verb(c, func(context.Context, []string) error {
		of := host.Versions()
		v := version{of.Format, of.Rewriter, of.Engine, runtime.Version(),
			runtime.GOOS + "/" + runtime.GOARCH}
		if a.json {
			return a.printJSON(v)
		}
		fmt.Fprintf(a.out, "directory format %s, rewriter %s, engine %s, %s on %s\n",
			v.Format, v.Rewriter, v.Engine, v.Go, v.Platform)
		return nil
	})
}
