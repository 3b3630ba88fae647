package main

import "testing"

func TestTimeWasUp(t *testing.T) {
	const progress = "fuzz: elapsed: 2s, execs: 75091 (35951/sec), new interesting: 32 (total: 35)\n"
	for out, want := range map[string]bool{
		progress + "--- FAIL: FuzzDecode (2.09s)\n    context deadline exceeded\nFAIL\nexit 1\n": true,
		progress + "--- FAIL: FuzzDecode (2.09s)\n    --- FAIL: FuzzDecode (0.00s)\n" +
			"        testing.go:1: context deadline exceeded\n    \n    Failing input written to x\nFAIL\n": false,
		progress + "--- FAIL: FuzzDecode (2.09s)\n    fuzzing process hung or terminated\nFAIL\n": false,
		progress + "PASS\n":           false,
		"context deadline exceeded\n": false,
	} {
		if got := timeWasUp(out); got != want {
			t.Errorf("timeWasUp(%q) = %v, want %v", out, got, want)
		}
	}
}
