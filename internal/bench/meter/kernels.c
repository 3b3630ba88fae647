// Kernels that compute, for `swingsim bench meter`. The last 8 bytes of a delivery's
// body say which, and how many rounds; the sum of what was computed goes out as a syscall.
#include <stdint.h>

#define IMPORT(name) __attribute__((import_module("vat_v1"), import_name(name)))
#define EXPORT(name) __attribute__((export_name(name)))
IMPORT("input_read") uint32_t input_read(void *to, uint32_t at, uint32_t n);
IMPORT("syscall") int32_t syscall(uint32_t op, const void *request, uint32_t n, void *answer, uint32_t room);

static uint8_t bytes[1 << 18];
static uint32_t words[1 << 16];
static double a[96 * 96], b[96 * 96], c[96 * 96];
static uint64_t state;

static uint32_t draw(void) {
	state = state * 6364136223846793005u + 1442695040888963407u;
	return state >> 33;
}

static uint64_t sieve(void) {
	uint64_t n = 0;
	for (uint32_t i = 0; i < sizeof bytes; i++) bytes[i] = 1;
	for (uint32_t i = 2; i < sizeof bytes; i++) {
		if (!bytes[i]) continue;
		n += i;
		for (uint32_t k = i + i; k < sizeof bytes; k += i) bytes[k] = 0;
	}
	return n;
}

static uint64_t matmul(void) {
	enum { N = 96 };
	for (int i = 0; i < N * N; i++) a[i] = i % 17, b[i] = i % 13;
	for (int i = 0; i < N; i++)
		for (int k = 0; k < N; k++) {
			double sum = 0;
			for (int j = 0; j < N; j++) sum += a[i * N + j] * b[j * N + k];
			c[i * N + k] = sum;
		}
	double trace = 0;
	for (int i = 0; i < N; i++) trace += c[i * N + i];
	return (uint64_t)trace;
}

static const uint32_t primes[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t turn(uint32_t x, int n) { return x >> n | x << (32 - n); }

static uint64_t sha256(void) {
	uint32_t h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
			 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	for (uint32_t i = 0; i < 1 << 16; i++) bytes[i] = i * 7;
	for (uint32_t at = 0; at < 1 << 16; at += 64) {
		uint32_t w[64], v[8];
		for (int i = 0; i < 16; i++)
			w[i] = (uint32_t)bytes[at + 4 * i] << 24 | bytes[at + 4 * i + 1] << 16 |
			       bytes[at + 4 * i + 2] << 8 | bytes[at + 4 * i + 3];
		for (int i = 16; i < 64; i++) {
			uint32_t x = w[i - 15], y = w[i - 2];
			w[i] = w[i - 16] + w[i - 7] + (turn(x, 7) ^ turn(x, 18) ^ x >> 3) +
			       (turn(y, 17) ^ turn(y, 19) ^ y >> 10);
		}
		for (int i = 0; i < 8; i++) v[i] = h[i];
		for (int i = 0; i < 64; i++) {
			uint32_t e = v[4], x = v[0];
			uint32_t t = v[7] + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) +
				     ((e & v[5]) ^ (~e & v[6])) + primes[i] + w[i];
			uint32_t u = (turn(x, 2) ^ turn(x, 13) ^ turn(x, 22)) +
				     ((x & v[1]) ^ (x & v[2]) ^ (v[1] & v[2]));
			for (int k = 7; k > 0; k--) v[k] = v[k - 1];
			v[4] += t;
			v[0] = t + u;
		}
		for (int i = 0; i < 8; i++) h[i] += v[i];
	}
	return (uint64_t)h[0] << 32 | h[7];
}

static void sort(uint32_t *p, int n) {
	while (n > 16) {
		uint32_t pivot = p[n / 2];
		int i = 0, k = n - 1;
		while (i <= k) {
			while (p[i] < pivot) i++;
			while (p[k] > pivot) k--;
			if (i <= k) {
				uint32_t t = p[i];
				p[i++] = p[k];
				p[k--] = t;
			}
		}
		sort(p, k + 1);
		p += i;
		n -= i;
	}
	for (int i = 1; i < n; i++)
		for (int k = i; k > 0 && p[k - 1] > p[k]; k--) {
			uint32_t t = p[k];
			p[k] = p[k - 1];
			p[k - 1] = t;
		}
}

static uint64_t quicksort(void) {
	enum { N = 1 << 16 };
	uint64_t sum = 0;
	for (int i = 0; i < N; i++) words[i] = draw();
	sort(words, N);
	for (int i = 0; i < N; i += 1000) sum = sum * 31 + words[i];
	return sum;
}

static uint64_t mandelbrot(void) {
	uint64_t sum = 0;
	for (int row = 0; row < 100; row++)
		for (int column = 0; column < 100; column++) {
			double x0 = column / 40.0 - 2, y0 = row / 50.0 - 1, x = 0, y = 0;
			int n = 0;
			for (; n < 200 && x * x + y * y < 4; n++) {
				double t = x * x - y * y + x0;
				y = 2 * x * y + y0;
				x = t;
			}
			sum += n;
		}
	return sum;
}

static uint64_t hash(void) {
	uint64_t h = 14695981039346656037u;
	for (uint32_t i = 0; i < sizeof bytes; i++) bytes[i] = i ^ i >> 8;
	for (uint32_t i = 0; i < sizeof bytes; i++) h = (h ^ bytes[i]) * 1099511628211u;
	return h;
}

// A text of nested lists of numbers and names, and a parser by descent.
static uint32_t at;

static uint64_t value(void) {
	uint64_t sum = 0;
	switch (bytes[at]) {
	case '[':
		at++;
		while (bytes[at] != ']') {
			sum = sum * 31 + value();
			if (bytes[at] == ',') at++;
		}
		at++;
		return sum;
	case '"':
		for (at++; bytes[at] != '"'; at++) {
			if (bytes[at] == '\\') at++;
			sum = sum * 131 + bytes[at];
		}
		at++;
		return sum;
	}
	for (; bytes[at] >= '0' && bytes[at] <= '9'; at++) sum = sum * 10 + bytes[at] - '0';
	return sum;
}

static void write(int deep) {
	if (deep == 0 || draw() % 4 == 0) {
		int text = draw() % 2;
		if (text) bytes[at++] = '"';
		for (int n = 1 + draw() % 9; n > 0; n--) bytes[at++] = (text ? 'a' : '0') + draw() % 10;
		if (text) bytes[at++] = '"';
		return;
	}
	bytes[at++] = '[';
	for (int n = 1 + draw() % 8; n > 0; n--) {
		write(deep - 1);
		if (n > 1) bytes[at++] = ',';
	}
	bytes[at++] = ']';
}

static uint64_t parse(void) {
	at = 0;
	bytes[at++] = '[';
	while (at < sizeof bytes - (1 << 16)) {
		write(4);
		bytes[at++] = ',';
	}
	bytes[at++] = ']';
	uint64_t sum = 0;
	for (int i = 0; i < 4; i++) {
		at = 0;
		sum += value();
	}
	return sum;
}

static uint64_t nbody(void) {
	static double p[5][3], v[5][3];
	for (int i = 0; i < 5; i++)
		for (int k = 0; k < 3; k++) p[i][k] = (i * 7 + k * 3) % 11 - 5, v[i][k] = 0;
	for (int step = 0; step < 2000; step++) {
		for (int i = 0; i < 5; i++)
			for (int j = i + 1; j < 5; j++) {
				double d[3], r = 0.01;
				for (int k = 0; k < 3; k++) d[k] = p[i][k] - p[j][k], r += d[k] * d[k];
				double f = 0.001 / (r * __builtin_sqrt(r));
				for (int k = 0; k < 3; k++) v[i][k] -= d[k] * f, v[j][k] += d[k] * f;
			}
		for (int i = 0; i < 5; i++)
			for (int k = 0; k < 3; k++) p[i][k] += v[i][k] * 0.01;
	}
	return (uint64_t)(int64_t)(p[0][0] * 1e6);
}

__attribute__((noinline)) static uint64_t fibonacci(uint32_t n) {
	return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static uint64_t fib(void) { return fibonacci(24); }

static uint64_t (*const kernels[])(void) = {
	sieve, matmul, sha256, quicksort, mandelbrot, hash, parse, nbody, fib,
};

EXPORT("vat_deliver") int32_t vat_deliver(uint32_t len) {
	uint32_t order[2];
	uint64_t sum = 0;
	input_read(order, len - 9, 8);
	state = 1;
	for (uint32_t i = 0; i < order[1]; i++) sum = sum * 31 + kernels[order[0]]();
	syscall(1, &sum, sizeof sum, 0, 0);
	return 0;
}
