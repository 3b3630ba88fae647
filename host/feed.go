package host

import "vatwarehouse/internal/portable"

// Base is what a feed goes on from: what an export, or a feed before, had.
type Base struct{ m portable.Metadata }
