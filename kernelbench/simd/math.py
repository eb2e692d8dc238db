"""exp, exp2, tanh, sigmoid, 1 / sqrt: functions of vectors of f32 and f64, each a short algorithm over lanes.

All are branch-free, so that they cost the same for any values, and take NaN and infinities as C does. The largest
errors in ulp of the result, found over millions of values (tests/simd/test_math.py holds them to it):

                f32, without FMA   f64, without FMA
  exp           0.9   1.2          1.0   1.2
  exp2          1.0   1.2          1.0   1.2
  tanh          1.4   1.4          1.4   1.4
  sigmoid       2.5   2.5          2.4   2.4
  erf           2.4   2.8          2.5   2.6    in erf.py
  sqrt          0.5   0.5          0.5   0.5    the target's own instruction
  rsqrt         1.5   1.5          1.5   1.5    a root and a division: no approximation refined

Coefficients: minimax fits of our own in 50-digit arithmetic (Remez' exchange for exp; for the ratios linear least
squares, re-weighted by Lawson's rule, with the last denominator as divisor) over the interval named beside each, then
rounded; those for f64 beyond exp are Cephes' (S. L. Moshier, netlib.org/cephes, double/ndtr.c and double/tanh.c).
"""

from numba.extending import overload

from kernelbench.simd.arithmetic import fma, maximum, minimum, select
from kernelbench.simd.mathparts import (
    INLINE,
    MAGIC_F32,
    MAGIC_F64,
    absolute,
    by_type,
    polynomial,
    scaled,
    sqrt,
    with_sign,
)

LOG2_E = 1.4426950408889634
LN2_HIGH_F32, LN2_LOW_F32 = 0.693359375, -2.12194440e-4
"""ln 2 in two parts (Cody and Waite, 1980). The first has 10 bits, so that n times it is exact without an FMA as well,
and x - n ln 2 keeps all its digits."""
LN2_HIGH_F64, LN2_LOW_F64 = 6.93147180369123816490e-01, 1.90821492927058770002e-10

EXP_F32 = (
    1.0,
    1.0,
    0.49999993447808293936,
    0.16666520631863023398,
    0.041668388039777849148,
    0.0083687168689240060791,
    0.0013814599044721449359,
)
"""e^r for |r| <= ln(2) / 2, within 2^-28."""
EXP_F64 = (
    1.0,
    1.0,
    0.50000000000000106271,
    0.16666666666666412531,
    0.041666666666530158284,
    0.0083333333334944590998,
    0.0013888888943630202997,
    0.00019841269506579754392,
    0.000024801493098819076072,
    2.7557586375892423536e-6,
    2.7630248407136309693e-7,
    2.5000060220785996084e-8,
)
"""The same, within 2^-57."""


EXP2_F32 = (
    1.0,
    0.693147202855228774,
    0.240226479136905644,
    0.0555033247090630271,
    0.00961843735061863347,
    0.00133988744807718074,
    0.000153533637750354649,
)
"""2^r for |r| <= 1/2, within 2^-28."""
EXP2_F64 = (
    1.0,
    0.693147180559945326,
    0.240226506959101313,
    0.055504108664820083,
    0.00961812910759412004,
    0.00133335581467746695,
    0.000154035304571121451,
    0.000015252733493084721,
    1.32154352822907092e-6,
    1.01781995884273997e-7,
    7.07378325002381881e-9,
    4.43476893493278517e-10,
)
"""The same, within 2^-58."""


def exp(x):
    """e^x in each lane: 0 for -inf, inf for inf and beyond the largest number, denormals below the smallest normal."""
    raise NotImplementedError


@overload(exp, jit_options=INLINE)
def _exp(x):
    return by_type(x, _exp_f32, _exp_f64)


def _exp_f32(x):
    # Beyond these e^x is 0 or infinite, and n below would be no number. NaN passes: it compares with nothing.
    x = minimum(89.0, maximum(-104.0, x))
    # e^x = 2^n e^r with r = x - n ln 2 in -ln(2)/2 .. ln(2)/2
    n = fma(x, LOG2_E, MAGIC_F32) - MAGIC_F32
    r = fma(n, -LN2_LOW_F32, fma(n, -LN2_HIGH_F32, x))
    return scaled(polynomial(r, EXP_F32), n)


def _exp_f64(x):
    x = minimum(710.0, maximum(-746.0, x))
    n = fma(x, LOG2_E, MAGIC_F64) - MAGIC_F64
    r = fma(n, -LN2_LOW_F64, fma(n, -LN2_HIGH_F64, x))
    return scaled(polynomial(r, EXP_F64), n)


def exp2(x):
    """2^x in each lane, with the special values of ``exp``. Cheaper than it by 2 operations: x - n is exact."""
    raise NotImplementedError


@overload(exp2, jit_options=INLINE)
def _exp2(x):
    return by_type(x, _exp2_f32, _exp2_f64)


def _exp2_f32(x):
    x = minimum(129.0, maximum(-151.0, x))
    n = (x + MAGIC_F32) - MAGIC_F32
    return scaled(polynomial(x - n, EXP2_F32), n)


def _exp2_f64(x):
    x = minimum(1025.0, maximum(-1076.0, x))
    n = (x + MAGIC_F64) - MAGIC_F64
    return scaled(polynomial(x - n, EXP2_F64), n)


def sigmoid(x):
    """1 / (1 + e^-x) in each lane; 0 where e^-x overflows (x < -88.7 in f32, -709.8 in f64), as the formula has it."""
    raise NotImplementedError


@overload(sigmoid, jit_options=INLINE)
def _sigmoid(x):
    return by_type(x, _sigmoid_any, _sigmoid_any)


def _sigmoid_any(x):
    return 1.0 / (exp(-x) + 1.0)


def rsqrt(x):
    """1 / sqrt(x) in each lane; inf for 0, NaN below, 0 for inf."""
    raise NotImplementedError


@overload(rsqrt, jit_options=INLINE)
def _rsqrt(x):
    return by_type(x, _rsqrt_any, _rsqrt_any)


def _rsqrt_any(x):
    return 1.0 / sqrt(x)


TANH_P_F32, TANH_Q_F32 = (-0.3333330800642, -0.0015415673592983), (1.0, 0.4046122645985)
"""(tanh(x) - x) / x^3 = P(x^2) / Q(x^2) for |x| < 0.625; tanh within 2^-27."""
TANH_P_F64 = (-1.61468768441708447952e3, -9.92877231001918586564e1, -9.64399179425052238628e-1)
TANH_Q_F64 = (4.84406305325125486048e3, 2.23548839060100448583e3, 1.12811678491632931402e2, 1.0)
"""The same, within 2^-53."""


def tanh(x):
    """The hyperbolic tangent of each lane; -1 and 1 for infinities, -0 for -0."""
    raise NotImplementedError


@overload(tanh, jit_options=INLINE)
def _tanh(x):
    return by_type(x, _tanh_f32, _tanh_f64)


def _tanh_f32(x):
    return _tanh_by(x, TANH_P_F32, TANH_Q_F32)


def _tanh_f64(x):
    return _tanh_by(x, TANH_P_F64, TANH_Q_F64)


def _tanh_by(x, p, q):
    raise NotImplementedError


@overload(_tanh_by, jit_options=INLINE)
def _tanh_of_any(x, p, q):
    return _tanh_any


def _tanh_any(x, p, q):
    # Small: x + x^3 P / Q. Else: 1 - 2 / (e^2x + 1). Both are a sum with one division, so one is enough.
    z = absolute(x)
    t = z * z
    small = z < 0.625
    above = select(small, z * t * polynomial(t, p), -2.0)
    below = select(small, polynomial(t, q), exp(z + z) + 1.0)
    return with_sign(select(small, z, 1.0) + above / below, x)
