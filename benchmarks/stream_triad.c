/* What a few lines of C reach: a read, and STREAM's triad a = b + s c (McCalpin 1995) with plain and with streaming
 * stores, one thread. Each sweeps `repeats` times over arrays of n floats and returns the seconds that took.
 *
 *     gcc -O3 -march=native -shared -fPIC -o stream_triad.so stream_triad.c
 */
#include <stdint.h>
#include <time.h>
#ifdef __SSE2__
#include <immintrin.h>
#endif

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

#define KEEP __asm__ volatile("" ::: "memory") /* every sweep is made: the next may see other values */

double sweep_read(float *restrict a, float *restrict b, const float *restrict c, int64_t n, int64_t repeats) {
    double start = now();
    for (int64_t r = 0; r < repeats; r++) {
        /* OR, not a sum: the compiler may not reorder sums of floats into vectors. */
        const uint32_t *words = (const uint32_t *)a;
        uint32_t seen = 0;
        for (int64_t i = 0; i < n; i++) seen |= words[i];
        __asm__ volatile("" ::"r"(seen) : "memory");
    }
    return now() - start;
}

double sweep_triad(float *restrict a, float *restrict b, const float *restrict c, int64_t n, int64_t repeats) {
    double start = now();
    for (int64_t r = 0; r < repeats; r++) {
        for (int64_t i = 0; i < n; i++) a[i] = b[i] + 0.5f * c[i];
        KEEP;
    }
    return now() - start;
}

double sweep_triad_nt(float *restrict a, float *restrict b, const float *restrict c, int64_t n, int64_t repeats) {
    double start = now();
    for (int64_t r = 0; r < repeats; r++) {
#if defined(__AVX512F__)
        const __m512 s = _mm512_set1_ps(0.5f);
        for (int64_t i = 0; i + 16 <= n; i += 16)
            _mm512_stream_ps(a + i, _mm512_fmadd_ps(_mm512_load_ps(c + i), s, _mm512_load_ps(b + i)));
        _mm_sfence();
#elif defined(__AVX__)
        const __m256 s = _mm256_set1_ps(0.5f);
        for (int64_t i = 0; i + 8 <= n; i += 8)
            _mm256_stream_ps(a + i, _mm256_add_ps(_mm256_mul_ps(_mm256_load_ps(c + i), s), _mm256_load_ps(b + i)));
        _mm_sfence();
#else
        for (int64_t i = 0; i < n; i++) a[i] = b[i] + 0.5f * c[i];
#endif
        KEEP;
    }
    return now() - start;
}
