// comms: stands for the objects and promises of other kernels, and carries messages,
// answers and what was dropped between them and this one. docs/links.md says how it is
// used, and what it says on a link.
#include "comms_rows.h"

enum { SAY_NOTHING = 0, SAY_MESSAGE = 1, SAY_SETTLED = 2, SAY_DROPPED = 3, SAY_CUT = 4 };

// body_room holds one body and its slots, of a settled promise.
static uint8_t body_room[BODY_MAX + SLOTS_MAX * (1 + vat_ref_bytes) + 64];

// out is what is being said, to the kernel or on a link: both have one form for it.
static uint8_t out_room[WIRE_MAX];
static vat_writer out;

// peer is the remote that out is for.
static struct {
	uint64_t id;
	remote_row row;
} peer;

// work are promises to be settled by what is being said, or right after it, and what
// whom it is said to calls them.
static struct {
	vat_ref promise, name;
} work[WORK_MAX];
static uint32_t work_count;

// batch are promises that were settled, of which nobody was told yet.
static vat_ref batch[WORK_MAX];
static uint32_t batch_count;

static void cut(uint64_t remote, vat_bytes reason, bool tell);
static const vat_bytes nothing;

// ---- saying something ----

static void begin(uint64_t to) {
	out = (vat_writer){.to = out_room, .room = sizeof out_room};
	peer.id = to;
	if (to != KERNEL) load_remote(to, &peer.row);
}

// overrun says that too many events of ours wait in the kernel for it to take another one:
// what is to be done cannot be.
static bool overrun;
static const char too_much_waits[] = "too much waits here";

// request makes a syscall of what is in out, behind its front. It reports whether the kernel
// took it, and of a call whether the device did as it was asked.
static bool request(uint32_t op, const vat_writer *front, bool call) {
	uint8_t answer[2] = {0, vat_false};
	vat_writer w = vat_request();
	vat_put_raw(&w, (vat_bytes){front->to, front->len});
	vat_put_raw(&w, (vat_bytes){out.to, out.len});
	if (call) vat_put_list(&w, 0); // its slots
	syscalls++;
	vat_syscall(op, w.to, w.len, answer, sizeof answer);
	return answer[0] != vat_false && answer[1] == vat_false;
}

// subscribe is vat_subscribe, unless there is an overrun.
static void subscribe(vat_ref name) {
	uint8_t answer = 0;
	vat_writer w = vat_request();
	vat_put_list(&w, 1);
	vat_put_name(&w, name);
	syscalls++;
	vat_syscall(VAT_OP_SUBSCRIBE, w.to, w.len, &answer, sizeof answer);
	if (answer == vat_false) overrun = true;
}

// transmit gives what is in out to the mailbox, as a message of that kind with so many
// fields, the last of which are in out.
static void transmit(uint32_t kind, uint32_t fields) {
	uint8_t name[64];
	int32_t name_len = get(number_key("m", peer.id), name, sizeof name);
	VAT_WRITER(head, 64); // of the message
	vat_put_list(&head, 3 + fields);
	vat_put_uint(&head, ++peer.row.sent);
	vat_put_uint(&head, peer.row.received);
	vat_put_uint(&head, kind);
	VAT_WRITER(body, 256); // of the call: [peer, message]
	vat_put_list(&body, 2);
	vat_put_text(&body, (vat_bytes){name, (uint32_t)name_len});
	vat_put_head(&body, vat_byte_string, head.len + out.len);
	vat_put_raw(&body, (vat_bytes){head.to, head.len});
	VAT_WRITER(front, 512);
	vat_put_list(&front, 4);
	vat_put_name(&front, peer.row.mailbox);
	vat_put_text(&front, vat_text("send"));
	vat_put_head(&front, vat_byte_string, body.len + out.len);
	vat_put_raw(&front, (vat_bytes){body.to, body.len});
	if (peer.row.owed) erase(number_key("a", peer.id));
	peer.row.owed = 0;
	store_remote(peer.id, &peer.row);
	if (!request(VAT_OP_CALL, &front, true))
		cut(peer.id, vat_text("the mailbox takes no more"), false);
}

static bool is_cut(uint64_t remote) {
	remote_row r;
	return !load_remote(remote, &r) || r.cut;
}

// ---- from here to there ----

// is_remotes reports whether we have made the reference for an object of a remote's.
static bool is_remotes(vat_ref ref) {
	return (ref & VAT_DURABLE) && vat_kind_of(ref) == OBJECTS;
}

// flip turns a name into what the other side calls it, and back.
static vat_ref flip(vat_ref name) { return name ^ VAT_IMPORTED; }

static vat_ref object_out(vat_ref ref) {
	object_row o;
	load_object(ref, &o);
	if (peer.id == KERNEL) {
		if (o.owner != KERNEL && o.kernel < 2) {
			o.kernel = 2;
			store_object(ref, &o);
		}
		return ref;
	}
	if (o.owner == peer.id) return flip(o.name);
	holder_row x = {0};
	if (!load(holder_key(ref, peer.id), FIELDS(&x))) {
		x.name = EGRESS_MAX + peer.row.objects++;
		give_name(peer.id, x.name, ref);
		o.known++;
	}
	o.reachable += !x.reachable;
	x.reachable = 1;
	x.number = peer.row.sent + 1;
	store(holder_key(ref, peer.id), FIELDS(&x));
	store_object(ref, &o);
	return flip(x.name);
}

// kernel_name is what the kernel calls a promise that is not settled. One that an older
// incarnation decided it knows as rejected: if we go on deciding it, it has another name.
static vat_ref kernel_name(vat_ref ref, promise_row *p) {
	if (p->decider == KERNEL || p->told == counters.incarnation) return p->name;
	if (p->name & VAT_IMPORTED) {
		p->name = VAT_PROMISE | count_up(&counters.promises);
		store(ref_key("k", p->name), &ref, 1);
	}
	p->told = counters.incarnation;
	store_promise(ref, p);
	return p->name;
}

// name_promise gives a promise a name for the remote that is spoken to.
static vat_ref name_promise(vat_ref ref, promise_row *p) {
	vat_ref name = VAT_PROMISE | ++peer.row.promises;
	give_name(peer.id, name, ref);
	p->holders++;
	store_promise(ref, p);
	return name;
}

// promise_out names a promise. One that is settled is always a new one to whom it is said
// to, and settled at once.
static vat_ref promise_out(vat_ref ref) {
	promise_row p;
	holder_row x = {0};
	load_promise(ref, &p);
	if (!p.state && peer.id == KERNEL) return kernel_name(ref, &p);
	if (!p.state) {
		if (load(holder_key(ref, peer.id), FIELDS(&x))) return flip(x.name);
		x.name = name_promise(ref, &p);
		store(holder_key(ref, peer.id), FIELDS(&x));
		return flip(x.name);
	}
	for (uint32_t i = 0; i < work_count; i++)
		if (work[i].promise == ref) return work[i].name;
	if (work_count == WORK_MAX) __builtin_trap(); // see put_settled
	vat_ref name = peer.id == KERNEL ? VAT_PROMISE | count_up(&counters.promises)
	                                 : flip(name_promise(ref, &p));
	work[work_count].promise = ref;
	work[work_count++].name = name;
	return name;
}

static vat_ref ref_out(vat_ref ref) {
	return ref & VAT_PROMISE ? promise_out(ref) : object_out(ref);
}

// put_data puts a body and its slots, as those to whom it is said know them.
static void put_data(vat_bytes body, const vat_ref *slots, uint32_t n) {
	vat_put_bytes(&out, body);
	vat_put_list(&out, n);
	for (uint32_t i = 0; i < n; i++) vat_put_name(&out, ref_out(slots[i]));
}

// ---- settled promises ----

// load_data reads what a promise was settled with.
static vat_bytes load_data(vat_ref ref, vat_ref *slots, uint32_t *n) {
	int32_t len = get(ref_key("d", ref), body_room, sizeof body_room);
	vat_reader r = vat_reader_of((vat_bytes){body_room, (uint32_t)len});
	vat_take_list(&r, 2);
	vat_bytes body = vat_take_bytes(&r);
	*n = vat_take_count(&r);
	for (uint32_t i = 0; i < *n; i++) slots[i] = vat_take_uint(&r);
	if (len == VAT_ABSENT || !vat_taken(&r)) __builtin_trap();
	return body;
}

// hold counts a settled promise's data as a holder of what it mentions, or no more.
static void hold(vat_ref ref, bool more) {
	if (ref & VAT_PROMISE) {
		promise_row p;
		load_promise(ref, &p);
		p.holders += more ? 1 : -1;
		store_promise(ref, &p);
		return;
	}
	object_row o;
	load_object(ref, &o);
	o.reachable += more ? 1 : -1;
	o.known += more ? 1 : -1;
	store_object(ref, &o);
	touch(ref);
}

// forget deletes a settled promise if nothing holds it any more, and then others that
// only its data held.
static void forget(vat_ref ref) {
	static vat_ref loose[SLOTS_MAX * 4], slots[SLOTS_MAX];
	uint32_t count = 0, n;
	loose[count++] = ref;
	while (count) {
		promise_row p;
		ref = loose[--count];
		if (!load_promise(ref, &p) || p.holders || !p.state) continue;
		load_data(ref, slots, &n);
		erase(ref_key("p", ref));
		erase(ref_key("d", ref));
		for (uint32_t i = 0; i < n; i++) {
			hold(slots[i], false);
			if (slots[i] & VAT_PROMISE && count < sizeof loose / sizeof *loose)
				loose[count++] = slots[i];
		}
	}
}

// settle gives a promise its state and data. announce must follow.
static void settle(vat_ref ref, bool rejected, vat_bytes body, const vat_ref *slots, uint32_t n) {
	promise_row p;
	load_promise(ref, &p);
	p.state = rejected ? 2 : 1;
	store_promise(ref, &p);
	vat_writer w = {.to = body_room, .room = sizeof body_room};
	vat_put_list(&w, 2);
	vat_put_bytes(&w, body);
	vat_put_list(&w, n);
	for (uint32_t i = 0; i < n; i++) vat_put_uint(&w, slots[i]);
	set(ref_key("d", ref), (vat_bytes){w.to, w.len});
	for (uint32_t i = 0; i < n; i++) hold(slots[i], true);
	batch[batch_count++] = ref;
}

// put_reason makes what we reject with, as vats do, of texts one behind the other.
static vat_bytes put_reason(uint8_t *room, uint32_t len, vat_bytes a, vat_bytes b, vat_bytes c) {
	vat_writer w = {.to = room, .room = len};
	vat_put_list(&w, 1);
	vat_put_head(&w, vat_text_string, a.len + b.len + c.len);
	vat_put_raw(&w, a);
	vat_put_raw(&w, b);
	vat_put_raw(&w, c);
	return (vat_bytes){w.to, w.len};
}

// put_settled puts one of work. What would not fit is a rejection instead: of each that
// can still join work there is room for that much.
static void put_settled(uint32_t i, uint32_t *total) {
	static vat_ref slots[SLOTS_MAX];
	uint8_t reason[64];
	uint32_t n;
	promise_row p;
	load_promise(work[i].promise, &p);
	vat_bytes body = load_data(work[i].promise, slots, &n);
	bool rejected = p.state == 2;
	uint32_t spare = out.room - out.len - (WORK_MAX - i) * 128;
	*total += n;
	if (body.len + n * (1 + vat_ref_bytes) > spare || *total > WORK_MAX - work_count) {
		body = put_reason(reason, sizeof reason, vat_text("too much for a link"), nothing,
			nothing);
		rejected = true;
		*total -= n;
		n = 0;
	}
	vat_put_list(&out, 4);
	vat_put_name(&out, work[i].name);
	vat_put_bool(&out, rejected);
	put_data(body, slots, n);
}

// say_settled tells the kernel or a remote how the promises in work were settled.
static void say_settled(uint64_t to) {
	static uint64_t names[WORK_MAX];
	uint32_t total = 0;
	if (!work_count) return;
	begin(to);
	out.len = 8; // for the head of the list, once it is known how long it is
	for (uint32_t i = 0; i < work_count; i++) put_settled(i, &total);
	VAT_WRITER(front, 8);
	vat_put_list(&front, work_count);
	out.to += 8 - front.len;
	out.len -= 8 - front.len;
	__builtin_memcpy(out.to, front.to, front.len);
	if (to == KERNEL) {
		front.len = 0;
		request(VAT_OP_RESOLVE, &front, false);
	} else {
		for (uint32_t i = 0; i < work_count; i++) names[i] = flip(work[i].name);
		peer.row.settling = peer.row.sent + 1;
		store(settling_key(to, peer.row.settling), names, work_count);
		transmit(SAY_SETTLED, 1);
	}
	work_count = 0;
}

// leave takes a name of a promise, on a link, away.
static void leave(uint64_t remote, vat_ref name, vat_ref ref) {
	promise_row p;
	erase(name_key(remote, name));
	load_promise(ref, &p);
	p.holders--;
	store_promise(ref, &p);
}

// announce_to tells one remote of the batch, what it knows of it.
static void announce_to(uint64_t remote) {
	bool gone = is_cut(remote);
	for (uint32_t i = 0; i < batch_count; i++) {
		promise_row p;
		holder_row x;
		if (!load(holder_key(batch[i], remote), FIELDS(&x))) continue;
		erase(holder_key(batch[i], remote));
		load_promise(batch[i], &p);
		if (gone || p.decider == remote) {
			leave(remote, x.name, batch[i]);
			continue;
		}
		work[work_count].promise = batch[i];
		work[work_count++].name = flip(x.name);
	}
	say_settled(remote);
}

// announce tells the kernel and the remotes of the promises in the batch: all but who
// settled them.
static void announce(void) {
	for (uint32_t i = 0; i < batch_count; i++) {
		promise_row p;
		load_promise(batch[i], &p);
		if (p.decider == KERNEL || p.told != counters.incarnation) continue;
		work[work_count].promise = batch[i];
		work[work_count++].name = p.name;
		if (p.name != batch[i]) erase(ref_key("k", p.name));
	}
	say_settled(KERNEL);
	for (uint64_t remote = 0;;) { // the next that knows one of them
		uint64_t least = SELF;
		for (uint32_t i = 0; i < batch_count; i++) {
			row_key k = holder_key(batch[i], remote);
			if (!next(&k, k.len - 16)) continue;
			if (last_number(&k) < least) least = last_number(&k);
		}
		if (least == SELF) break;
		remote = least;
		announce_to(remote);
	}
	for (uint32_t i = 0; i < batch_count; i++) forget(batch[i]);
	batch_count = 0;
}

// refuse rejects a promise, or VAT_NONE, of which nobody has been told.
static void refuse(vat_ref ref, const char *why, vat_bytes what, const char *end) {
	uint8_t room[REASON_MAX + METHOD_MAX];
	if (ref == VAT_NONE) return;
	settle(ref, true, put_reason(room, sizeof room, vat_text(why), what, vat_text(end)), NULL, 0);
	announce();
}

// ---- messages ----

// message is one that is on its way.
static struct {
	vat_ref target, result;
	vat_bytes method, body;
	vat_ref slot[SLOTS_MAX];
	uint32_t slots;
} message;

static void put_message(vat_ref target, vat_ref result) {
	vat_put_name(&out, target);
	vat_put_text(&out, message.method);
	put_data(message.body, message.slot, message.slots);
	if (result == VAT_NONE) {
		vat_put_byte(&out, vat_null);
	} else {
		vat_put_name(&out, result);
	}
}

// decided_by hands a result to whom the message goes.
static void decided_by(vat_ref ref, uint64_t decider) {
	promise_row p;
	load_promise(ref, &p);
	p.decider = decider;
	store_promise(ref, &p);
}

static void to_kernel(void) {
	VAT_WRITER(front, 8);
	vat_ref result = VAT_NONE;
	begin(KERNEL);
	vat_put_list(&front, 5);
	vat_ref target = ref_out(message.target);
	if (message.result != VAT_NONE) result = promise_out(message.result);
	put_message(target, result);
	if (result != VAT_NONE) subscribe(result); // first: what is sent, we must hear of
	if (!overrun && !request(VAT_OP_SEND, &front, false)) overrun = true;
	if (overrun) {
		work_count = 0;
		refuse(message.result, too_much_waits, nothing, "");
		return;
	}
	if (result != VAT_NONE) decided_by(message.result, KERNEL);
	say_settled(KERNEL);
}

// cut_reason reads why a remote was cut off.
static vat_bytes cut_reason(uint64_t remote, uint8_t *room, uint32_t len) {
	int32_t n = get(number_key("c", remote), room, len);
	return (vat_bytes){room, n == VAT_ABSENT ? 0 : (uint32_t)n};
}

static void to_remote(uint64_t remote) {
	uint8_t room[REASON_MAX];
	if (is_cut(remote)) {
		refuse(message.result, "the link is cut: ", cut_reason(remote, room, sizeof room), "");
		return;
	}
	if (message.body.len > BODY_MAX || message.method.len > METHOD_MAX) {
		refuse(message.result, "too much for a link", nothing, "");
		return;
	}
	begin(remote);
	vat_ref target = ref_out(message.target), result = VAT_NONE;
	if (message.result != VAT_NONE) result = promise_out(message.result);
	put_message(target, result);
	transmit(SAY_MESSAGE, 5);
	if (message.result != VAT_NONE) decided_by(message.result, remote);
	say_settled(remote);
}

// route sees a message to where its target is.
static void route(void) {
	static vat_ref slots[SLOTS_MAX];
	uint32_t n;
	promise_row p;
	object_row o;
	while (message.target & VAT_PROMISE) {
		load_promise(message.target, &p);
		if (!p.state && p.decider == KERNEL) {
			to_kernel();
			return;
		}
		if (!p.state) {
			to_remote(p.decider);
			return;
		}
		vat_bytes body = load_data(message.target, slots, &n);
		if (p.state == 2) {
			if (message.result == VAT_NONE) return;
			static uint8_t again[BODY_MAX]; // settle puts its own into body_room
			__builtin_memcpy(again, body.at, body.len);
			settle(message.result, true, (vat_bytes){again, body.len}, slots, n);
			announce();
			return;
		}
		if (body.len || n != 1) {
			refuse(message.result, "data is not callable, has no method ", message.method, "");
			return;
		}
		message.target = slots[0]; // an object: see settled
	}
	if (!load_object(message.target, &o) && is_remotes(message.target)) {
		refuse(message.result, "there is no such object", nothing, "");
	} else if (o.owner == KERNEL) {
		to_kernel();
	} else {
		to_remote(o.owner);
	}
}

// ---- what the kernel says ----

// find_promise finds the promise that the kernel calls so, or VAT_NONE.
static vat_ref find_promise(vat_ref name) {
	promise_row p;
	uint64_t ref;
	if (load_promise(name, &p)) return name;
	return load(ref_key("k", name), &ref, 1) ? ref : VAT_NONE;
}

// promise_in is find_promise for what the kernel may mention for the first time.
static vat_ref promise_in(vat_ref name, uint64_t decider, bool *found) {
	vat_ref ref = find_promise(name);
	*found = ref != VAT_NONE;
	if (*found) return ref;
	promise_row p = {.decider = decider, .told = counters.incarnation, .name = name};
	store_promise(name, &p);
	return name;
}

// ref_in finds what a reference of the kernel's is to us: a promise that is met for the
// first time is one to wait for.
static vat_ref ref_in(vat_ref name) {
	bool found;
	if (!(name & VAT_PROMISE)) {
		object_row o;
		if (load_object(name, &o) && o.owner == KERNEL && o.kernel < 2) {
			o.kernel = 2;
			store_object(name, &o);
		}
		touch(name);
		return name;
	}
	vat_ref ref = promise_in(name, KERNEL, &found);
	if (found) return ref;
	subscribe(name);
	if (overrun) erase(ref_key("p", name)); // it is not known, then
	return ref;
}

// carry takes a message of the kernel's to the remote that it is for.
static int32_t carry(vat_delivery *d) {
	bool found;
	message.target = d->target & VAT_PROMISE ? promise_in(d->target, SELF, &found) : d->target;
	message.result = VAT_NONE;
	if (d->result != VAT_NONE) {
		message.result = promise_in(d->result, SELF, &found);
		decided_by(message.result, SELF);
	}
	if (d->args.slots > SLOTS_MAX) {
		refuse(message.result, "too much for a link", nothing, "");
		return 0;
	}
	message.method = d->method;
	message.body = (vat_bytes){d->args.at, (uint32_t)(d->args.end - d->args.at)};
	message.slots = d->args.slots;
	for (uint32_t i = 0; i < message.slots; i++) message.slot[i] = ref_in(vat_take_slot(&d->args));
	if (overrun) {
		refuse(message.result, too_much_waits, nothing, "");
	} else {
		route();
	}
	return 0;
}

// hear takes in how promises of the kernel's were settled: those that we know, and those
// that their data mentions.
static void hear(vat_delivery *d) {
	static vat_ref slots[SLOTS_MAX];
	uint8_t reason[64];
	uint32_t total = 0;
	bool found;
	vat_reader all = d->settled;
	for (uint32_t i = 0; i < d->settlements; i++) total += vat_take_settled(&all).data.slots;
	bool whole = d->settlements <= SETTLED_MAX && total <= SLOTS_MAX;
	all = d->settled; // so that each is known when another mentions it:
	for (uint32_t i = 0; i < d->settlements && whole; i++)
		promise_in(vat_take_settled(&all).promise, KERNEL, &found);
	for (vat_settled s; vat_next_settled(d, &s);) {
		promise_row p;
		uint32_t n = 0, len = (uint32_t)(s.data.end - s.data.at);
		vat_ref ref = find_promise(s.promise);
		if (ref == VAT_NONE) continue; // mentioned by what is too much
		if (ref != s.promise) erase(ref_key("k", s.promise));
		load_promise(ref, &p);
		if (p.state || p.decider != KERNEL) continue; // rejected by an upgrade of this vat
		vat_bytes body = {s.data.at, len};
		if (!whole || len > BODY_MAX) {
			s.rejected = true;
			body = put_reason(
				reason, sizeof reason, vat_text("too much for a link"), nothing, nothing);
		} else {
			while (s.data.slots) slots[n++] = ref_in(vat_take_slot(&s.data));
		}
		if (overrun) {
			s.rejected = true;
			n = 0;
			body = put_reason(reason, sizeof reason, vat_text(too_much_waits), nothing, nothing);
		}
		settle(ref, s.rejected, body, slots, n);
		if (batch_count == WORK_MAX) announce();
	}
	announce();
}

// ---- what a remote says ----

// fault is why what a remote says cannot be taken in: it is to be cut off.
static const char *fault;

// name_in finds what a name is to us, or makes it known: only the other side's own names
// can be new.
static vat_ref name_in(uint64_t from, vat_ref name) {
	object_row o;
	holder_row x;
	if (!fault && name & VAT_DURABLE) fault = "a name that is none";
	if (fault) return VAT_NONE;
	bool theirs = name & VAT_IMPORTED;
	vat_ref ref = meaning_of(from, name);
	if (ref == VAT_NONE && !theirs) {
		fault = "a name that it was not given";
	} else if (ref == VAT_NONE && name & VAT_PROMISE) {
		ref = VAT_PROMISE | count_up(&counters.promises);
		promise_row p = {.holders = 1, .decider = from, .name = ref};
		store_promise(ref, &p);
		x = (holder_row){.name = name};
		store(holder_key(ref, from), FIELDS(&x));
		give_name(from, name, ref);
	} else if (ref == VAT_NONE) {
		ref = vat_durable_ref(OBJECTS, count_up(&counters.objects));
		o = (object_row){.owner = from, .name = name};
		store_object(ref, &o);
		give_name(from, name, ref);
		touch(ref);
	} else if (theirs && !(name & VAT_PROMISE)) {
		load_object(ref, &o);
		if (o.dropped) {
			o.dropped = 0;
			store_object(ref, &o);
		}
		touch(ref);
	} else if (!theirs && !(name & VAT_PROMISE)) {
		if (!load(holder_key(ref, from), FIELDS(&x)) || !x.reachable)
			fault = "a name that it had dropped";
	}
	return ref;
}

// take_slots takes the names of a body off a message, not knowing them yet.
static uint32_t take_slots(vat_reader *r, vat_ref *slots) {
	uint32_t n = vat_take_count(r);
	if (n > SLOTS_MAX) n = (uint32_t)vat_spoil(r);
	for (uint32_t i = 0; i < n; i++) slots[i] = vat_take_name(r);
	return n;
}

static bool is_utf8(vat_bytes b) {
	for (uint32_t i = 0, more; i < b.len; i += 1 + more) {
		uint8_t c = b.at[i];
		more = c < 0x80 ? 0 : c >> 5 == 6 ? 1 : c >> 4 == 14 ? 2 : c >> 3 == 30 ? 3 : 4;
		if (more == 4 || b.len - i <= more) return false;
		uint32_t v = more ? c & (0x3fu >> more) : c;
		for (uint32_t k = 1; k <= more; k++) {
			if (b.at[i + k] >> 6 != 2) return false;
			v = v << 6 | (b.at[i + k] & 0x3f);
		}
		static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
		if (v < least[more] || v > 0x10ffff || v >> 11 == 0x1b) return false;
	}
	return true;
}

// may_decide reports whether a promise is a remote's to settle, or to be made the result
// of a message.
static bool may_decide(uint64_t from, vat_ref ref) {
	promise_row p;
	return ref != VAT_NONE && ref & VAT_PROMISE && load_promise(ref, &p) && !p.state &&
		p.decider == from;
}

// take_message takes in a message of a remote's, and carries it on.
static void take_message(uint64_t from, vat_reader *r) {
	vat_ref target = vat_take_name(r), result = VAT_NONE;
	message.method = vat_take_text(r);
	message.body = vat_take_bytes(r);
	message.slots = take_slots(r, message.slot);
	if (!vat_take_if(r, vat_null)) result = vat_take_name(r);
	if (!vat_taken(r) || !is_utf8(message.method) || message.method.len > METHOD_MAX ||
		message.body.len > BODY_MAX || (result != VAT_NONE && !(result & VAT_PROMISE))) {
		fault = "a malformed message";
		return;
	}
	bool egress = !(target & VAT_PROMISE) && target < EGRESS_MAX;
	bool none = egress && meaning_of(from, target) == VAT_NONE;
	if (!none) message.target = name_in(from, target);
	for (uint32_t i = 0; i < message.slots; i++) message.slot[i] = name_in(from, message.slot[i]);
	message.result = result == VAT_NONE ? VAT_NONE : name_in(from, result);
	if (!fault && !(target & VAT_PROMISE) && target & VAT_IMPORTED)
		fault = "a message for an object of its own";
	if (!fault && result != VAT_NONE && !may_decide(from, message.result))
		fault = "a result that is not its to give";
	if (fault) return;
	if (message.result != VAT_NONE) decided_by(message.result, SELF);
	if (none) {
		refuse(message.result, "there is no such egress", nothing, "");
	} else {
		route();
		if (overrun) fault = too_much_waits;
	}
}

// take_settled takes in how promises that a remote decides were settled.
static void take_settled(uint64_t from, vat_reader *r) {
	static vat_ref slots[SLOTS_MAX];
	uint32_t count = vat_take_count(r), total = 0;
	if (!count || count > WORK_MAX) vat_spoil(r);
	vat_reader all = *r;
	for (uint32_t i = 0; i < count && !r->bad; i++) {
		vat_take_list(r, 4);
		vat_ref name = vat_take_name(r);
		bool rejected = vat_take_bool(r);
		vat_bytes body = vat_take_bytes(r);
		uint32_t n = take_slots(r, slots);
		total += n;
		if (!(name & VAT_PROMISE) || body.len > BODY_MAX || total > WORK_MAX) vat_spoil(r);
		if (!rejected && !body.len && n == 1 && slots[0] & VAT_PROMISE) vat_spoil(r);
	}
	if (!vat_taken(r)) fault = "malformed resolutions";
	for (uint32_t i = 0; i < count && !fault; i++) {
		vat_take_list(&all, 4);
		vat_ref ref = name_in(from, vat_take_name(&all));
		bool rejected = vat_take_bool(&all);
		vat_bytes body = vat_take_bytes(&all);
		uint32_t n = take_slots(&all, slots);
		for (uint32_t k = 0; k < n; k++) slots[k] = name_in(from, slots[k]);
		if (!fault && !may_decide(from, ref)) fault = "a promise that is not its to settle";
		if (!fault) settle(ref, rejected, body, slots, n);
	}
	announce();
}

// ---- collection ----

// telling is what remotes are to be told of objects: that we hold theirs no more, have
// forgotten them, or that ours are gone.
enum { DROPPED, RETIRED, GONE };
static struct {
	uint64_t remote, kind;
	vat_ref name;
} telling[REFS_MAX];
static uint32_t telling_count;

// tell says what is in telling, to each remote in one message.
static void tell(void) {
	for (uint32_t i = 0; i < telling_count; i++) {
		uint64_t remote = telling[i].remote;
		if (remote == KERNEL) continue; // it was said
		begin(remote);
		for (uint32_t kind = DROPPED; kind <= GONE; kind++) {
			uint32_t n = 0;
			for (uint32_t k = i; k < telling_count; k++)
				n += telling[k].remote == remote && telling[k].kind == kind;
			vat_put_list(&out, n);
			for (uint32_t k = i; k < telling_count; k++)
				if (telling[k].remote == remote && telling[k].kind == kind)
					vat_put_name(&out, flip(telling[k].name));
		}
		for (uint32_t k = i; k < telling_count; k++)
			if (telling[k].remote == remote) telling[k].remote = KERNEL;
		if (!peer.row.cut) transmit(SAY_DROPPED, 3);
	}
	telling_count = 0;
}

static void tell_later(uint64_t remote, uint64_t kind, vat_ref name) {
	if (telling_count == REFS_MAX) tell();
	telling[telling_count].remote = remote;
	telling[telling_count].kind = kind;
	telling[telling_count++].name = name;
}

// judge lets go of an object that nobody holds.
static void judge(vat_ref ref) {
	object_row o;
	bool there = load_object(ref, &o);
	if (o.owner == KERNEL && !(ref & VAT_IMPORTED)) { // our own, or there is no such object
		if (there && !o.known) erase(ref_key("o", ref));
		return;
	}
	object_row before = o;
	if (o.owner == KERNEL) {
		if (!o.reachable && o.kernel == 2) {
			vat_about_refs(VAT_OP_DROP_IMPORTS, &ref, 1);
			o.kernel = 1;
		}
		if (!o.known && o.kernel == 1) {
			vat_about_refs(VAT_OP_RETIRE_IMPORTS, &ref, 1);
			if (there) erase(ref_key("o", ref));
			return;
		}
	} else {
		if (!o.reachable && o.kernel < 2 && !o.dropped) {
			tell_later(o.owner, DROPPED, o.name);
			o.dropped = 1;
		}
		if (!o.known && !o.kernel && o.dropped) {
			tell_later(o.owner, RETIRED, o.name);
			erase(name_key(o.owner, o.name));
			erase(ref_key("o", ref));
			return;
		}
	}
	if (o.kernel != before.kernel || o.dropped != before.dropped) store_object(ref, &o);
}

// unhold takes an object away from a remote that holds or knows it.
static void unhold(uint64_t remote, vat_ref ref, holder_row *x, bool altogether) {
	object_row o;
	load_object(ref, &o);
	o.reachable -= x->reachable;
	x->reachable = 0;
	if (altogether) {
		erase(holder_key(ref, remote));
		erase(name_key(remote, x->name));
		o.known--;
	} else {
		store(holder_key(ref, remote), FIELDS(x));
	}
	store_object(ref, &o);
}

// gone tells the remotes that still know an object that it is no more, and forgets it.
static void gone(vat_ref ref) {
	row_key k = holder_key(ref, 0);
	while (next(&k, k.len - 16)) {
		holder_row x;
		uint64_t remote = last_number(&k);
		load(k, FIELDS(&x));
		tell_later(remote, GONE, x.name);
		erase(k);
		erase(name_key(remote, x.name));
	}
	erase(ref_key("o", ref));
}

static void sweep_later(uint64_t remote) {
	VAT_WRITER(front, 64);
	begin(KERNEL);
	vat_put_list(&front, 5);
	vat_put_name(&front, vat_durable_ref(RECEIVERS, remote));
	vat_put_text(&front, vat_text("sweep"));
	vat_put_data(&front, NULL);
	vat_put_byte(&front, vat_null);
	if (!request(VAT_OP_SEND, &front, false)) set(number_key("z", remote), nothing);
}

// take_gone hears from the kernel that objects are gone. Each can take long: if there are
// many, some are only written down.
static void take_gone(vat_delivery *d) {
	bool later = false;
	for (vat_ref ref; vat_next_ref(d, &ref);) {
		if (syscalls < SYSCALLS_ENOUGH) {
			gone(ref);
		} else {
			set(ref_key("g", ref), nothing);
			later = true;
		}
	}
	if (later) sweep_later(KERNEL);
}

// take_unheld hears from the kernel that it holds objects of remotes no more, or does not
// even know them.
static void take_unheld(vat_delivery *d, uint64_t kernel) {
	for (vat_ref ref; vat_next_ref(d, &ref);) {
		object_row o;
		if (!is_remotes(ref) || !load_object(ref, &o)) continue;
		o.kernel = kernel;
		store_object(ref, &o);
		judge(ref);
	}
}

// take_dropped hears from a remote which objects it holds no more, which it has forgotten,
// and which of its own are gone. What it had not heard us mention again when it said so
// does not count: it will say so again.
static void take_dropped(uint64_t from, vat_reader *r, uint64_t heard) {
	uint32_t total = 0;
	for (uint32_t kind = DROPPED; kind <= GONE; kind++) {
		uint32_t n = vat_take_count(r);
		total += n;
		if (total > REFS_MAX) vat_spoil(r);
		for (; n && !r->bad && !fault; n--) {
			object_row o;
			holder_row x;
			vat_ref name = vat_take_name(r);
			if (name & (VAT_PROMISE | VAT_DURABLE) || !(name & VAT_IMPORTED) != (kind != GONE)) {
				vat_spoil(r);
				break;
			}
			vat_ref ref = meaning_of(from, name);
			if (ref == VAT_NONE) continue;
			if (kind == GONE) {
				load_object(ref, &o);
				if (!o.dropped) fault = "an object that is held is gone";
				if (fault) break;
				if (o.kernel == 1) vat_about_refs(VAT_OP_RETIRE_EXPORTS, &ref, 1);
				erase(name_key(from, name));
				gone(ref);
				continue;
			}
			load(holder_key(ref, from), FIELDS(&x));
			if (x.pinned || x.number > heard) continue;
			if (kind == RETIRED && x.reachable) fault = "it has forgotten what it holds";
			if (fault) break;
			unhold(from, ref, &x, kind == RETIRED);
			judge(ref);
		}
	}
	if (!vat_taken(r) && !fault) fault = "malformed drops";
}

// ---- links ----

// cut ends the link with a remote. What is left of it goes bit by bit: see sweep.
static void cut(uint64_t remote, vat_bytes reason, bool tell) {
	uint8_t text[64 + 32 + REASON_MAX];
	vat_writer w = {.to = text, .room = sizeof text};
	remote_row r;
	if (!load_remote(remote, &r) || r.cut) return;
	if (reason.len > REASON_MAX || !is_utf8(reason)) reason = vat_text("it gives no good reason");
	set(number_key("c", remote), reason);
	uint8_t name[64];
	vat_put_raw(&w, vat_text("the link with "));
	vat_put_raw(&w, (vat_bytes){name, (uint32_t)get(number_key("m", remote), name, sizeof name)});
	vat_put_raw(&w, vat_text(" is cut: "));
	vat_put_raw(&w, reason);
	vat_log_write(VAT_WARN, w.to, w.len);
	if (tell) {
		begin(remote);
		vat_put_text(&out, reason);
		transmit(SAY_CUT, 1);
		load_remote(remote, &r);
	}
	r.cut = 1;
	store_remote(remote, &r);
	sweep_later(remote);
}

// acknowledged forgets the promises that a remote knows to be settled: it cannot send
// messages for them any more.
static void acknowledged(uint64_t remote) {
	static uint64_t names[WORK_MAX];
	remote_row r;
	load_remote(remote, &r);
	if (r.settling <= r.done || r.heard <= r.done) return;
	row_key k = settling_key(remote, 0);
	uint64_t done = r.heard;
	while (next(&k, k.len - 16) && last_number(&k) <= r.heard) {
		if (syscalls > SYSCALLS_ENOUGH) {
			done = last_number(&k) - 1;
			sweep_later(remote);
			break;
		}
		uint32_t n = load(k, names, WORK_MAX);
		erase(k);
		for (uint32_t i = 0; i < n; i++) {
			vat_ref ref = meaning_of(remote, names[i]);
			leave(remote, names[i], ref);
			forget(ref);
		}
	}
	r.done = done;
	store_remote(remote, &r);
}

// unname takes away a name that a remote had which was cut off.
static void unname(uint64_t remote, vat_ref name) {
	object_row o;
	holder_row x;
	promise_row p;
	uint8_t room[REASON_MAX];
	vat_ref ref = meaning_of(remote, name);
	if (name & VAT_PROMISE) {
		load_promise(ref, &p);
		if (may_decide(remote, ref)) {
			refuse(ref, "the link is cut: ", cut_reason(remote, room, sizeof room), "");
			return;
		}
		if (!p.state) erase(holder_key(ref, remote));
		leave(remote, name, ref);
		forget(ref);
		return;
	}
	load_object(ref, &o);
	if (o.owner == remote) {
		erase(name_key(remote, name));
		o.dropped = 1;
		store_object(ref, &o);
	} else {
		load(holder_key(ref, remote), FIELDS(&x));
		unhold(remote, ref, &x, true);
	}
	judge(ref);
}

// sweep does what was put off.
static void sweep(uint64_t remote) {
	remote_row r;
	row_key k = key_of("g.");
	for (uint32_t len = k.len; remote == KERNEL && next(&k, len);) {
		if (syscalls > SYSCALLS_ENOUGH) {
			sweep_later(remote);
			return;
		}
		gone(vat_parse_ref((vat_bytes){k.at + len, k.len - len}));
		erase(k);
	}
	if (!load_remote(remote, &r)) return;
	if (!r.cut) {
		acknowledged(remote);
		return;
	}
	k = number_key("y", remote);
	key_raw(&k, vat_text("."));
	for (uint32_t len = k.len; next(&k, len);) {
		if (syscalls > SYSCALLS_ENOUGH) {
			sweep_later(remote);
			return;
		}
		unname(remote, vat_parse_ref((vat_bytes){k.at + len, k.len - len}));
	}
	k = settling_key(remote, 0);
	for (uint32_t len = k.len - 16; next(&k, len);) {
		if (syscalls > SYSCALLS_MAX) {
			sweep_later(remote);
			return;
		}
		erase(k);
	}
	erase(number_key("a", remote));
}

// inbound takes in a message of a remote's.
static void inbound(uint64_t from, vat_delivery *d) {
	remote_row r;
	vat_take_list(&d->args, 1);
	vat_reader in = vat_reader_of(vat_take_bytes(&d->args));
	if (!load_remote(from, &r) || r.cut) return;
	uint32_t fields = vat_take_count(&in);
	uint64_t number = vat_take_uint(&in), heard = vat_take_uint(&in), kind = vat_take_uint(&in);
	fault = NULL;
	if (in.bad || number != r.received + 1 || heard < r.heard || heard > r.sent) {
		cut(from, vat_text("a message that does not follow the one before"), true);
		return;
	}
	r.received = number;
	r.heard = heard;
	if (kind == SAY_SETTLED && !r.owed) {
		set(number_key("a", from), nothing);
		r.owed = 1;
	}
	store_remote(from, &r);
	if (kind == SAY_MESSAGE && fields == 8) {
		take_message(from, &in);
	} else if (kind == SAY_SETTLED && fields == 4) {
		take_settled(from, &in);
	} else if (kind == SAY_DROPPED && fields == 6) {
		take_dropped(from, &in, heard);
	} else if (kind == SAY_CUT && fields == 4) {
		cut(from, vat_take_text(&in), false);
	} else if (kind != SAY_NOTHING || !vat_taken(&in)) {
		fault = "a message of no kind";
	}
	if (fault) cut(from, vat_text(fault), true);
	acknowledged(from);
}

// reap tells the remotes that wait to hear it that we took their resolutions in, and does
// what could not be put off otherwise.
static void reap(void) {
	row_key k = key_of("a.");
	while (syscalls < SYSCALLS_ENOUGH && next(&k, 2)) {
		begin(last_number(&k));
		transmit(SAY_NOTHING, 0);
	}
	k = key_of("z.");
	if (!next(&k, 2)) return;
	erase(k);
	sweep(last_number(&k));
}

// ---- what this vat is asked ----

// find_remote finds a remote by its name; 0 if there is none.
static uint64_t find_remote(vat_bytes name) {
	uint64_t remote;
	row_key k = key_of("name.");
	if (name.len > 64) return 0;
	key_raw(&k, name);
	return load(k, &remote, 1) ? remote : 0;
}

// add_remote makes a peer of a mailbox known: addRemote(name, mailbox).
static int32_t add_remote(vat_delivery *d) {
	vat_take_list(&d->args, 2);
	vat_bytes name = vat_take_text(&d->args);
	vat_ref mailbox = vat_take_ref(&d->args);
	if (!vat_taken(&d->args) || mailbox & VAT_PROMISE)
		return vat_reject(d->result, "want addRemote(name, mailbox)");
	if (find_remote(name)) return vat_reject(d->result, "there is a remote of that name");
	if (counters.remotes == REMOTES_MAX) return vat_reject(d->result, "there are too many remotes");
	uint64_t remote = counters.remotes + 1;
	uint8_t answer[2] = {0, vat_false};
	vat_writer w = vat_request();
	vat_put_list(&w, 4);
	vat_put_name(&w, mailbox);
	vat_put_text(&w, vat_text("register"));
	VAT_WRITER(args, 256);
	if (name.len > 64) name.len = 65; // which the mailbox refuses
	vat_put_list(&args, 2);
	vat_put_text(&args, name);
	vat_put_ref(&args, vat_durable_ref(RECEIVERS, remote));
	vat_put_data(&w, &args);
	vat_syscall(VAT_OP_CALL, w.to, w.len, answer, sizeof answer);
	if (answer[1] != vat_false) return vat_reject(d->result, "the mailbox refuses that name");
	count_up(&counters.remotes);
	remote_row r = {.mailbox = mailbox};
	store_remote(remote, &r);
	set(number_key("m", remote), name);
	row_key k = key_of("name.");
	key_raw(&k, name);
	store(k, &remote, 1);
	ref_in(mailbox);
	hold(mailbox, true);
	return vat_answer(d->result, NULL);
}

// add_egress gives a remote an object under a name agreed upon, for good:
// addEgress(remote, index, object).
static int32_t add_egress(vat_delivery *d) {
	object_row o;
	holder_row x = {.reachable = 1, .pinned = 1};
	vat_take_list(&d->args, 3);
	uint64_t remote = find_remote(vat_take_text(&d->args));
	x.name = vat_take_uint(&d->args);
	vat_ref ref = vat_take_ref(&d->args);
	if (!vat_taken(&d->args) || ref & VAT_PROMISE || x.name >= EGRESS_MAX)
		return vat_reject(d->result, "want addEgress(remote, index, object)");
	if (!remote || is_cut(remote)) return vat_reject(d->result, "there is no such remote");
	ref_in(ref);
	load_object(ref, &o);
	holder_row before;
	if (meaning_of(remote, x.name) == ref) return vat_answer(d->result, NULL); // it was given
	if (o.owner == remote || load(holder_key(ref, remote), FIELDS(&before)) ||
		meaning_of(remote, x.name) != VAT_NONE)
		return vat_reject(d->result, "the index is taken, or the remote knows the object");
	o.reachable++;
	o.known++;
	store_object(ref, &o);
	store(holder_key(ref, remote), FIELDS(&x));
	give_name(remote, x.name, ref);
	return vat_answer(d->result, NULL);
}

// add_ingress answers with the object that a remote has given that name:
// addIngress(remote, index).
static int32_t add_ingress(vat_delivery *d) {
	object_row o;
	vat_take_list(&d->args, 2);
	uint64_t remote = find_remote(vat_take_text(&d->args));
	vat_ref index = vat_take_uint(&d->args);
	if (!vat_taken(&d->args) || index >= EGRESS_MAX)
		return vat_reject(d->result, "want addIngress(remote, index)");
	if (!remote || is_cut(remote)) return vat_reject(d->result, "there is no such remote");
	vat_ref ref = name_in(remote, index | VAT_IMPORTED);
	load_object(ref, &o);
	o.kernel = 2;
	store_object(ref, &o);
	return vat_answer_ref(d->result, ref);
}

// cut_remote cuts a remote off: cut(remote, reason).
static int32_t cut_remote(vat_delivery *d) {
	vat_take_list(&d->args, 2);
	uint64_t remote = find_remote(vat_take_text(&d->args));
	vat_bytes reason = vat_take_text(&d->args);
	if (!vat_taken(&d->args)) return vat_reject(d->result, "want cut(remote, reason)");
	if (!remote || is_cut(remote)) return vat_reject(d->result, "there is no such remote");
	cut(remote, reason, true);
	return vat_answer(d->result, NULL);
}

static int32_t receive(vat_delivery *d) {
	if (d->target & VAT_PROMISE || is_remotes(d->target)) return carry(d);
	if (d->target & VAT_DURABLE) {
		if (vat_is(d->method, "inbound")) inbound(vat_instance_of(d->target), d);
		if (vat_is(d->method, "sweep")) sweep(vat_instance_of(d->target));
		return 0;
	}
	fault = NULL;
	if (vat_is(d->method, "addRemote")) return add_remote(d);
	if (vat_is(d->method, "addEgress")) return add_egress(d);
	if (vat_is(d->method, "addIngress")) return add_ingress(d);
	if (vat_is(d->method, "cut")) return cut_remote(d);
	return vat_reject(d->result, "no such method");
}

// room_for is the memory behind the program's own, of at least len bytes.
static uint8_t *room_for(uint32_t len) {
	extern uint8_t __heap_base;
	enum { page = 1 << 16 };
	uint32_t have = (uint32_t)__builtin_wasm_memory_size(0) * page - (uint32_t)(uintptr_t)&__heap_base;
	uint32_t more = len > have ? (len - have + page - 1) / page : 0;
	if (more && __builtin_wasm_memory_grow(0, more) == (size_t)-1) __builtin_trap();
	return &__heap_base;
}

VAT_EXPORT("vat_deliver") int32_t vat_deliver(uint32_t len) {
	vat_delivery d;
	int32_t status = 0;
	syscalls = 0;
	overrun = false;
	if (!vat_receive(&d, room_for(len), len, len)) return vat_fail("malformed delivery");
	counters_changed = false;
	load(key_of("n"), FIELDS(&counters));
	if (d.kind == VAT_START) count_up(&counters.incarnation);
	if (d.kind == VAT_MESSAGE) status = receive(&d);
	if (d.kind == VAT_NOTIFY) hear(&d);
	if (d.kind == VAT_DROP_EXPORTS) take_unheld(&d, 1);
	if (d.kind == VAT_RETIRE_EXPORTS) take_unheld(&d, 0);
	if (d.kind == VAT_RETIRE_IMPORTS) take_gone(&d);
	if (d.kind == VAT_REAP) reap();
	for (uint32_t i = 0; i < touched_count; i++) judge(touched[i]);
	touched_count = 0;
	tell();
	if (counters_changed) store(key_of("n"), FIELDS(&counters));
	return status;
}
