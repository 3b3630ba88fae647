// clang-14 --target=wasm32 -O2 -nostdlib -ffreestanding -Wl,--no-entry -o free.wasm free.c
// Freestanding: a stack pointer, static data, a table of functions, growth.

typedef unsigned int u32;
typedef unsigned long long u64;

static u32 seed = 12345;
static u32 heap[512] = {3, 1, 4, 1, 5, 9, 2, 6};
static const char digits[] = "0123456789abcdef";
static char text[64];

static u32 rotate(u32 x) { return x << 7 | x >> 25; }
static u32 square(u32 x) { return x * x; }
static u32 flip(u32 x) { return ~x; }
static u32 (*const table[])(u32) = {rotate, square, flip};

__attribute__((export_name("mix"))) u32 mix(u32 x, u32 rounds) {
  u32 scratch[16];
  for (u32 i = 0; i < 16; i++) scratch[i] = heap[(seed + i) % 512] ^ x;
  for (u32 i = 0; i < rounds % 64; i++) {
    u32 k = i % 16;
    scratch[k] = table[(seed + i) % 3](scratch[k] + i);
    seed = seed * 1664525 + 1013904223;
  }
  for (u32 i = 0; i < 16; i++) heap[(x + i) % 512] += scratch[i];
  return scratch[seed % 16];
}

__attribute__((export_name("print"))) const char *print(u64 v) {
  for (int i = 15; i >= 0; i--, v >>= 4) text[i] = digits[v & 15];
  return text;
}

__attribute__((export_name("grow"))) u32 grow(u32 pages) {
  return __builtin_wasm_memory_grow(0, pages & 1);
}
