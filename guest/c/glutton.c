// glutton: costs what it is told to: memory held, pages written, garbage, syscalls,
// rows of the vatstore. It is the load of benchmarks. EXAMPLES.md has its knobs.
enum { VALUE_BYTES_MAX = 4096 };
#define VAT_REQUEST_BYTES (VALUE_BYTES_MAX + 256)
#include "vat.h"

enum {
	PAGE_BYTES = 4096,        // a page of a heap snapshot
	WASM_PAGE_BYTES = 64 << 10,
	HEAP_BYTES_MAX = 1 << 30, // more than any memory limit allows
	BLOCK_BYTES = 256,        // garbage is made in blocks of this size
	RING_BYTES = 64 << 10,    // and lies in a ring: a block's place is used again
	KEYS_MAX = 1024,          // how many keys of the vatstore it uses
};

// The knobs, in the order in which a message has them.
enum { HEAP, NOISE, DIRTY, SYSCALLS, GARBAGE, ROWS, VALUE, KNOBS };

static uint64_t knob[KNOBS];
static uint64_t touches, noise_state = 1;
static uint8_t *heap, *ring;      // NULL until the knobs are set
static uint32_t pages;            // of the heap
static uint32_t cursor, ring_end; // where the last touch stopped

static uint64_t noise(void) {
	return noise_state = noise_state * 6364136223846793005u + 1442695040888963407u;
}

static void fill(uint8_t *at, uint32_t len) {
	for (uint32_t i = 0; i + 8 <= len; i += 8) {
		uint64_t word = noise();
		__builtin_memcpy(at + i, &word, sizeof word);
	}
}

// extend grows the memory; NULL if it cannot be had.
static uint8_t *extend(uint64_t bytes) {
	size_t at = __builtin_wasm_memory_grow(0, (bytes + WASM_PAGE_BYTES - 1) / WASM_PAGE_BYTES);
	return at == (size_t)-1 ? NULL : (uint8_t *)(at * WASM_PAGE_BYTES);
}

// set turns the knobs, once; why it did not is its result.
static const char *set(vat_reader *r) {
	uint64_t want[KNOBS];
	vat_take_list(r, KNOBS);
	for (uint32_t i = 0; i < KNOBS; i++) want[i] = vat_take_uint(r);
	if (!vat_taken(r)) return "want set(heap, noise, dirty, syscalls, garbage, rows, value)";
	if (heap) return "the knobs are set already";
	if (want[HEAP] > HEAP_BYTES_MAX || want[NOISE] > PAGE_BYTES || want[VALUE] > VALUE_BYTES_MAX)
		return "a knob is turned too far";
	uint8_t *at = extend(want[HEAP] + RING_BYTES);
	if (!at) return "memory cannot be had";
	for (uint32_t i = 0; i < KNOBS; i++) knob[i] = want[i];
	heap = at + RING_BYTES;
	ring = at;
	pages = (uint32_t)(want[HEAP] / PAGE_BYTES);
	for (uint32_t p = 0; p < pages; p++) fill(heap + p * PAGE_BYTES, (uint32_t)want[NOISE]);
	return NULL;
}

// write_pages writes one word in each of DIRTY pages, no page twice: the cursor
// runs through all numbers below a power of two, as a linear congruence whose
// multiplier is 1 modulo 4 does, and those that are no page are passed over.
static void write_pages(void) {
	uint32_t period = 1;
	while (period < pages) period *= 2;
	for (uint64_t n = knob[DIRTY] < pages ? knob[DIRTY] : pages; n; n--) {
		do cursor = (cursor * 1664525 + 1013904223) & (period - 1);
		while (cursor >= pages);
		uint64_t word, offset = noise() % (PAGE_BYTES / 8) * 8;
		uint8_t *at = heap + cursor * PAGE_BYTES + offset;
		__builtin_memcpy(&word, at, sizeof word);
		word++;
		__builtin_memcpy(at, &word, sizeof word);
	}
}

static void make_garbage(void) {
	for (uint64_t n = knob[GARBAGE] / BLOCK_BYTES; n; n--) {
		__builtin_memset(ring + ring_end, (int)touches, BLOCK_BYTES);
		ring_end = (ring_end + BLOCK_BYTES) % RING_BYTES;
	}
}

// some_key writes one of KEYS_MAX keys, chosen by chance, and returns it.
static vat_bytes some_key(uint8_t key[2]) {
	uint32_t n = (uint32_t)(noise() >> 32) % KEYS_MAX;
	key[0] = (uint8_t)(n >> 8);
	key[1] = (uint8_t)n;
	return (vat_bytes){key, 2};
}

static void use_vatstore(void) {
	static uint8_t value[VALUE_BYTES_MAX];
	uint8_t key[2];
	for (uint64_t n = knob[SYSCALLS]; n; n--) vat_get(some_key(key), NULL, 0);
	for (uint64_t n = knob[ROWS]; n; n--) {
		fill(value, (uint32_t)knob[VALUE]);
		vat_set(some_key(key), (vat_bytes){value, (uint32_t)knob[VALUE]});
	}
}

static int32_t answer(vat_ref result) {
	VAT_WRITER(w, 32);
	vat_put_list(&w, 3);
	vat_put_uint(&w, touches);
	vat_put_uint(&w, pages);
	vat_put_uint(&w, noise_state >> 1);
	return vat_answer(result, &w);
}

static int32_t receive(vat_delivery *d) {
	if (vat_is(d->method, "set")) {
		const char *why = set(&d->args);
		return why ? vat_reject(d->result, why) : answer(d->result);
	}
	if (!vat_is(d->method, "touch") && !vat_is(d->method, "read"))
		return vat_reject(d->result, "no such method");
	if (!vat_empty(&d->args)) return vat_reject(d->result, "want no arguments");
	if (vat_is(d->method, "read")) return answer(d->result);
	if (!heap) return vat_reject(d->result, "the knobs are not set");
	touches++;
	write_pages();
	make_garbage();
	use_vatstore();
	return answer(d->result);
}

VAT_EXPORT("vat_deliver") int32_t vat_deliver(uint32_t len) {
	static uint8_t input[1024];
	vat_delivery d;
	if (!vat_receive(&d, input, sizeof input, len)) return vat_fail("malformed delivery");
	if (d.kind == VAT_OVERLONG) return vat_reject(d.result, "message too long");
	if (d.kind == VAT_MESSAGE) return receive(&d);
	if (d.kind == VAT_START && !vat_empty(&d.args)) {
		const char *why = set(&d.args);
		if (why) return vat_fail(why);
	}
	return 0;
}
