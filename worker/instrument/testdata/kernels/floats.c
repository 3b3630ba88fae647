// clang-14 --target=wasm32 -O2 -msimd128 -nostdlib -ffreestanding -Wl,--no-entry -o floats.wasm floats.c
// Kernels of floats. Each returns a sum of what it computed, so that none is left out.

typedef unsigned int u32;
typedef float v4 __attribute__((vector_size(16)));

#define N 64
static double a[N][N], b[N][N], c[N][N];
static float x[4096], y[4096];

static u32 sum(const float* v, u32 n) {
  float s = 0;
  for (u32 i = 0; i < n; i++) s += v[i];
  return (u32)(int)s;
}

__attribute__((export_name("fill"))) void fill(void) {
  for (u32 i = 0; i < N; i++)
    for (u32 j = 0; j < N; j++) a[i][j] = (i * j % 7) / 8.0, b[i][j] = (i + j) % 5;
  for (u32 i = 0; i < 4096; i++) x[i] = (i % 9) / 16.0f, y[i] = 0;
}

// A dot product for each cell, stored once.
__attribute__((export_name("matmul"))) u32 matmul(u32 rounds) {
  for (u32 r = 0; r < rounds % 1024; r++)
    for (u32 i = 0; i < N; i++)
      for (u32 j = 0; j < N; j++) {
        double s = 0;
#pragma clang loop vectorize(disable)
        for (u32 k = 0; k < N; k++) s += a[i][k] * b[k][j];
        c[i][j] = s;
      }
  return (u32)(int)c[3][5];
}

// A store for each product.
__attribute__((export_name("rows"))) u32 rows(u32 rounds) {
  for (u32 r = 0; r < rounds % 1024; r++)
    for (u32 i = 0; i < N; i++)
      for (u32 k = 0; k < N; k++)
#pragma clang loop vectorize(disable)
        for (u32 j = 0; j < N; j++) c[i][j] = c[i][j] * 0.5 + a[i][k] * b[k][j];
  return (u32)(int)c[3][5];
}

// The same in vectors: a product, a sum and a store for four.
__attribute__((export_name("vectors"))) u32 vectors(u32 rounds) {
  v4 *p = (v4*)x, *q = (v4*)y, half = {0.5f, 0.5f, 0.5f, 0.5f};
  for (u32 r = 0; r < rounds % 65536; r++)
    for (u32 i = 0; i < 1024; i++) q[i] = q[i] * half + p[i];
  return sum(y, 4096);
}

// Polynomials in vectors: twelve operations for a store.
__attribute__((export_name("polynomial"))) u32 polynomial(u32 rounds) {
  v4 *p = (v4*)x, *q = (v4*)y, k = {0.25f, 0.5f, 0.125f, 0.75f};
  for (u32 r = 0; r < rounds % 65536; r++)
    for (u32 i = 0; i < 1024; i++) {
      v4 v = p[i], s = k;
      for (u32 j = 0; j < 6; j++) s = s * v + k;
      q[i] = s;
    }
  return sum(y, 4096);
}
