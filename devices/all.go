package devices

import "vatwarehouse/kernel"

// All returns all devices of this package, by the names under which a Host is to have
// them.
func All() map[string]kernel.Device {
	return map[string]kernel.Device{
		"bridge": Bridge{}, "command": Command{}, "mailbox": Mailbox{}, "timer": Timer{},
	}
}
