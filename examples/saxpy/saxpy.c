/* saxpy in C: z[n] = 0.75 x[n] + y[n], for saxpy.py beside it. Build it here with one line:

       gcc -O3 -march=native -shared -fPIC saxpy.c -o libsaxpy.so

   Without it the variant saxpy/c is skipped, with the reason. */

#include <stdint.h>

void saxpy_f32(const float *restrict x, const float *restrict y, float *restrict z, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        z[i] = 0.75f * x[i] + y[i];
}
