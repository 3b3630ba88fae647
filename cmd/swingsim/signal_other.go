//go:build !unix

package main

// onSignal does nothing: there is no SIGUSR1 here.
func onSignal(func()) (stop func()) { return func() {} }
