package kernel

import (
	"vatwarehouse/swing"
	"vatwarehouse/vatkeeper"
)

// claim notes that the kernel will resolve a promise because of a row: it must be there,
// unresolved, the kernel's to resolve, and no other row's.
func (c *checker) claim(key string, ref swing.KRef) {
	if other, claimed := c.claims[ref]; claimed {
		c.fault(key, "%s is to be resolved because of %s too", ref, other)
	}
	c.claims[ref] = key
	if !exists(c.b, ref) {
		c.fault(key, "%s is to be resolved, and there is no such row", ref)
		return
	}
	if p := readPromise(c.b, ref); p.state != Unresolved || p.decider != "" {
		c.fault(key, "%s is %v, decided by %q, and to be resolved by the kernel",
			ref, p.state, p.decider)
	}
}

// known checks that there is, or was, a vat; "" is none.
func (c *checker) known(key string, vat swing.VatID) {
	if _, ok := vatkeeper.New(vat, c.b).Options(); !ok && vat != "" {
		c.fault(key, "there is no vat %s", vat)
	}
}

// cleanups checks that the vats to be cleaned up have ended, and are in the queue once.
func (c *checker) cleanups() {
	c.rows(cleanupQueue)
	in := map[swing.VatID]bool{}
	for head, tail := cleanupQueue.bounds(c.b); head < tail; head++ {
		vat := readSwept(cleanupQueue.at(c.b, head)).vat
		if _, ended := vatkeeper.New(vat, c.b).End(); in[vat] || !ended {
			c.fault(string(cleanupQueue), "%s is in it twice, or has not ended", vat)
		}
		in[vat] = true
	}
}

// names checks that names name vats, and devices' names the objects that are they.
func (c *checker) names() {
	for key := range keys(c.b, nameKey("")) {
		v, _ := c.b.Get(key)
		c.known(key, swing.VatID(v))
	}
	for _, name := range Devices(c.b) {
		ref, _ := DeviceRef(c.b, name)
		if !has(c.b, serviceKey(ref)) {
			continue // nobody had it any more
		}
		if is := readService(c.b, ref).device; is != name {
			c.fault(deviceKey(name), "its object %s is device %q", ref, is)
		}
	}
}

// service checks that an object of the kernel's, and no other, is one that does something.
func (c *checker) service(ref swing.KRef, o object) {
	is := has(c.b, serviceKey(ref))
	if is != (o.owner == ServiceOwner) {
		c.fault(string(ref), "owned by %q, and a service: %v", o.owner, is)
	}
	if !is {
		c.export(ref, o.owner)
		return
	}
	s := readService(c.b, ref)
	if other, _ := DeviceRef(c.b, s.device); s.kind == deviceService && other != ref {
		c.fault(string(ref), "it is device %q, which is %q", s.device, other)
	}
	if has(c.b, meterKey(ref)) != (s.kind == meterService) {
		c.fault(
			string(ref),
			"a service of kind %d, and a meter: %v",
			s.kind,
			s.kind != meterService,
		)
	}
	c.known(serviceKey(ref), s.vat)
}

// export checks that a vat that lives knows an object that it owns.
func (c *checker) export(ref swing.KRef, owner swing.VatID) {
	c.known(string(ref), owner)
	vk := vatkeeper.New(owner, c.b)
	if e, ok := vk.ByKRef(ref); vk.Alive() && (!ok || !e.VRef.Exported()) {
		c.fault(string(ref), "its owner %s does not export it", owner)
	}
}

// decider checks that a vat that lives knows a promise that it is to resolve.
func (c *checker) decider(ref swing.KRef, p promise) {
	c.known(string(ref), p.decider)
	vk := vatkeeper.New(p.decider, c.b)
	if _, ok := vk.ByKRef(ref); vk.Alive() && !ok {
		c.fault(string(ref), "its decider %s does not know it", p.decider)
	}
}
