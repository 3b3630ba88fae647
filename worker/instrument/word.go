package instrument

// The meter's word is one hidden global, an i64, that holds the fuel that is left and how
// deep the calls are, so that one load, one test and one store serve both:
//
//	bits    what
//	17..63  fuel left, in units, signed: below zero, the delivery is out of fuel
//	    16  set once calls are too deep
//	 0..15  65,535 less the depth that is left, in frames
const (
	fuelShift = 17
	tooDeep   = 1 << 16
	depthMax  = tooDeep - 1
)

// DepthMax is the greatest depth to allow, in frames: wazero's interpreter has room for
// 2,000, of which a few are for functions that are not counted.
const DepthMax = 1900

// FuelMax is the largest budget, in units: about an hour of compiled code.
const FuelMax = 1 << 44

// Meter says how a host sets and reads a program's meter. The globals are not the
// program's: it can neither read nor set them, and no heap holds them.
type Meter struct {
	// Word is the export of the meter's word: see [Budget] and [Left].
	Word string
	// Refused is the export of an i32, 1 once a memory.grow was refused.
	Refused string
	// Reserve is the export of an i64: fuel, in the form that [Reserve] gives it, that
	// is moved to the word in pieces; or "", if the module does not yield.
	Reserve string
}

// Budget returns the word with which a call begins that may use so many units of fuel, at
// most FuelMax, and may be so many frames deep, at most DepthMax.
func Budget(fuel uint64, depth int) uint64 {
	return fuel<<fuelShift | uint64(depthMax-depth)
}

// Reserve returns fuel in the form of the reserve.
func Reserve(fuel uint64) uint64 { return fuel << fuelShift }

// Left returns what a word and a reserve hold: fuel, below zero if more was used than
// there was, and whether calls were too deep.
func Left(word, reserve uint64) (fuel int64, deep bool) {
	return int64(word)>>fuelShift + int64(reserve)>>fuelShift, word&tooDeep != 0
}

// Charge returns the word with so many units less.
func Charge(word, units uint64) uint64 { return word - units<<fuelShift }

// YieldUnits is how many units a module that yields may use before it does.
const YieldUnits = 1_000_000
