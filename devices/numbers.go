package devices

import "vatwarehouse/swing"

// numbers is a list of numbers.
func numbers(values ...uint64) swing.CapData[swing.KRef] {
	b := swing.AppendArray(nil, len(values))
	for _, v := range values {
		b = swing.AppendUint(b, v)
	}
	return swing.CapData[swing.KRef]{Body: b}
}
