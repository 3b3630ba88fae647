//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// onSignal has SIGUSR1 call what is given, until stop.
func onSignal(call func()) (stop func()) {
	signals, ended := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, syscall.SIGUSR1)
	go func() {
		defer close(ended)
		for range signals {
			call()
		}
	}()
	return func() {
		signal.Stop(signals)
		close(signals)
		<-ended
	}
}
