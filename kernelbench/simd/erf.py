"""erf and the normal distribution: functions of vectors of f32 and f64 (see ``math`` for the errors).

Each is one polynomial or one ratio, whose coefficients every lane chooses for itself: near 0, or beyond. Those for f32
are minimax fits of our own by Remez' exchange in 40 digits over the interval named beside each, those for f64 Cephes'
(S. L. Moshier, netlib.org/cephes, double/ndtr.c).
"""

from numba.extending import overload

from kernelbench.simd.arithmetic import fma, minimum, select
from kernelbench.simd.math import exp, exp2
from kernelbench.simd.mathparts import INLINE, absolute, by_type, polynomial, polynomial_either, with_sign

ERF_NEAR_F32 = (
    0.67493324072033,
    -0.13055592570443,
    0.029869724196733,
    -0.0060828598378435,
    0.0010706448920958,
    -0.00016358380921988,
    2.1867280945096e-5,
    -2.6166459014611e-6,
    3.0539938639376e-7,
    -2.8656956853109e-8,
    0.0,
)
"""erf(x) / x in powers of x^2 - 2 for |x| < 2, within 2^-27."""
ERF_FAR_F32 = (
    2.5843059106246e-5,
    -0.00016158366876995,
    0.00048116427953792,
    -0.00090218360122954,
    0.0011775106329395,
    -0.0011208762638727,
    0.00081115143530578,
    -0.00044521876466791,
    0.00013696449132045,
    1.9328772519681e-5,
    -2.2098383572317e-5,
)
"""1 - erf(x) in powers of x - 2.975 for 2 <= x <= 3.95, within 2^-26; at 3.95 it is below 2^-25, so erf is 1 there."""
ERF_T_F64 = (
    5.55923013010394962768e4,
    7.00332514112805075473e3,
    2.23200534594684319226e3,
    9.00260197203842689217e1,
    9.60497373987051638749e0,
    *4 * (0.0,),
)
ERF_U_F64 = (
    4.92673942608635921086e4,
    2.26290000613890934246e4,
    4.59432382970980127987e3,
    5.21357949780152679795e2,
    3.35617141647503099647e1,
    1.0,
    *3 * (0.0,),
)
"""erf(x) / x = T(x^2) / U(x^2) for |x| < 1."""
ERFC_P_F64 = (
    5.57535335369399327526e2,
    1.02755188689515710272e3,
    9.34528527171957607540e2,
    5.26445194995477358631e2,
    1.96520832956077098242e2,
    4.86371970985681366614e1,
    7.46321056442269912687e0,
    5.64189564831068821977e-1,
    2.46196981473530512524e-10,
)
ERFC_Q_F64 = (
    5.57535340817727675546e2,
    1.65666309194161350182e3,
    2.24633760818710981792e3,
    1.82390916687909736289e3,
    9.75708501743205489753e2,
    3.54937778887819891062e2,
    8.67072140885989742329e1,
    1.32281951154744992508e1,
    1.0,
)
"""1 - erf(x) = e^(-x^2) P(x) / Q(x) for 1 <= x < 8."""
TAIL_F32 = (
    -0.9999999782844,
    -1.151105723504,
    -0.4592049068458,
    -0.0525050308247,
    0.007075475737795,
    -0.0001458737747149,
    -0.0001825458444395,
    3.862032272388e-5,
    -2.772008905526e-6,
)
"""log2(Phi(-x)) for 0 <= x <= 5.6, where Phi(-x) is 1e-8: near a parabola, so a few powers do. What they make wrong in
Phi itself is below 2^-26; beyond 5.6 they fall as they should, and faster."""
SQRT_HALF = 0.7071067811865476


def erf(x):
    """The error function of each lane; -1 and 1 for infinities, -0 for -0."""
    raise NotImplementedError


@overload(erf, jit_options=INLINE)
def _erf(x):
    return by_type(x, _erf_f32, _erf_f64)


def _erf_f32(x):
    z = minimum(3.95, absolute(x))
    near = z < 2.0
    p = polynomial_either(near, select(near, z * z - 2.0, z - 2.975), ERF_NEAR_F32, ERF_FAR_F32)
    return with_sign(select(near, z * p, 1.0 - p), x)


def _erf_f64(x):
    z = minimum(6.0, absolute(x))  # from here on erf rounds to 1
    near, r = _near_and_ratio(z)
    return with_sign(select(near, z * r, fma(-exp(-(z * z)), r, 1.0)), x)


def _near_and_ratio(z):
    raise NotImplementedError


@overload(_near_and_ratio, jit_options=INLINE)
def _near_and_ratio_f64(z):
    return _chosen_ratio


def _chosen_ratio(z):
    # Near 0: erf(z) / z. Beyond: (1 - erf(z)) e^(z^2). One division serves both.
    near = z < 1.0
    s = select(near, z * z, z)
    above = polynomial_either(near, s, ERF_T_F64, ERFC_P_F64)
    return near, above / polynomial_either(near, s, ERF_U_F64, ERFC_Q_F64)


def normal_tail(x):
    """Phi(-|x|) in each lane: the weight of the normal distribution beyond x on its side, 1/2 for 0 and 0 for infinity.

    No sum cancels in it. Its errors are below 2 ulp of 1/2; relative to itself they grow with x^2 and, beyond 5.6 in
    f32 and 11 in f64, where it is below 1e-8 and 1e-28, without bound: there it is too small.
    """
    raise NotImplementedError


@overload(normal_tail, jit_options=INLINE)
def _normal_tail(x):
    return by_type(x, _normal_tail_f32, _normal_tail_f64)


def _normal_tail_f32(x):
    return exp2(polynomial(minimum(20.0, absolute(x)), TAIL_F32))


def _normal_tail_f64(x):
    z = minimum(30.0, absolute(x) * SQRT_HALF)
    near, r = _near_and_ratio(z)
    return select(near, fma(-0.5 * z, r, 0.5), 0.5 * exp(-(z * z)) * r)


def normal_cdf(x):
    """Phi(x) = (1 + erf(x / sqrt 2)) / 2 in each lane, without that sum's cancellation; exact as ``normal_tail``."""
    raise NotImplementedError


@overload(normal_cdf, jit_options=INLINE)
def _normal_cdf(x):
    return by_type(x, _normal_cdf_any, _normal_cdf_any)


def _normal_cdf_any(x):
    tail = normal_tail(x)
    return select(x < 0.0, tail, 1.0 - tail)
