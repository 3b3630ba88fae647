// Command swingsim runs scenarios of message-passing vats, and looks into the
// directories that they leave. It is a shell over packages host and internal/sim:
// a verb is a file here, and calls one function of theirs.
//
// Results go to the standard output, as tables for people or, with --json, for
// programs; everything else goes to the standard error. The exit code is
//
//	0     done
//	1     failed: what was asked for could not be done, or a check found a fault
//	2     the command line is wrong
//	130   interrupted: everything up to the last block is kept
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"vatwarehouse/host"
)

func main() {
	if host.ServeWorker() { // this is the worker process of another
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}
