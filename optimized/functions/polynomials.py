#!/usr/bin/env python3
"""The polynomials of optimized/functions.h: writes coefficients.h beside this file.

Remez exchange in 60 digits. Each entry names f, the interval, the number of coefficients and the weight w, and
minimises the largest w(x) |p(x) - f(x)|. The largest error is in the comment above the coefficients as a power of
two, measured after they are rounded to binary64. Needs mpmath; clang-format the result.
"""
import pathlib
import mpmath as mp

mp.mp.dps = 60
L2 = mp.log(2) / 2 * (1 + mp.mpf(2) ** -10)  # reductions may miss the middle by a rounding
PIO4 = mp.pi / 4 * (1 + mp.mpf(2) ** -10)
Z_LOG = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * (1 + mp.mpf(2) ** -10)


def horner(c, x):
    y = mp.mpf(0)
    for a in reversed(c):
        y = y * x + a
    return y


def extrema(f, c, w, a, b, n):
    """The places of the n + 1 alternating extrema of w (p - f), found on a grid that is dense at the ends."""
    m = 24 * n
    xs = [a + (b - a) * (1 - mp.cos(mp.pi * i / m)) / 2 for i in range(m + 1)]
    es = [w(x) * (horner(c, x) - f(x)) for x in xs]
    best = []
    for x, e in zip(xs, es):
        if best and (e > 0) == (best[-1][1] > 0):
            if abs(e) > abs(best[-1][1]):
                best[-1] = (x, e)
        else:
            best.append((x, e))
    while len(best) > n + 1:
        best.pop(0 if abs(best[0][1]) < abs(best[-1][1]) else -1)
    return [x for x, _ in best], max(abs(e) for e in es)


def remez(f, a, b, n, w):
    a, b = mp.mpf(a), mp.mpf(b)
    cache = {}

    def g(x):
        if x not in cache:
            cache[x] = f(x)
        return cache[x]

    xs = [a + (b - a) * (1 - mp.cos(mp.pi * i / n)) / 2 for i in range(n + 1)]
    for _ in range(6):
        rows = mp.matrix(n + 1, n + 1)
        right = mp.matrix(n + 1, 1)
        for i, x in enumerate(xs):
            for j in range(n):
                rows[i, j] = x ** j
            rows[i, n] = (-1) ** i / w(x)
            right[i] = g(x)
        s = mp.lu_solve(rows, right)
        c = [s[j] for j in range(n)]
        xs, worst = extrema(g, c, w, a, b, n)
        if worst < abs(s[n]) * mp.mpf("1.05") or len(xs) < n + 1:
            break
    c = [mp.mpf(float(v)) for v in c]
    _, worst = extrema(g, c, w, a, b, n)
    return c, worst


def even(f):
    """A function of z = x^2, where it is given by x."""
    return lambda z: f(mp.sqrt(z))


def near(f, limit):
    """f, and its limit at zero; digits lost to cancellation near it are made up for."""
    def g(x):
        if x == 0:
            return mp.mpf(limit)
        with mp.workdps(140):
            return +f(x)
    return g


def one(_):
    return mp.mpf(1)


def erfinv_over_x(x):
    return mp.sqrt(mp.pi) / 2 if x == 0 else mp.erfinv(x) / x


def erfinv_of_w(w):
    """erfinv(x) / x as a function of w = -log(1 - x^2)."""
    with mp.workdps(100):
        return +erfinv_over_x(mp.sqrt(-mp.expm1(-w)))


def erfinv_slope(w):
    c = mp.sqrt(mp.pi) / 2
    return c * mp.pi / 12 if w < mp.mpf("1e-30") else (erfinv_of_w(w) - c) / w


def exp_q():
    return near(lambda r: (mp.expm1(r) - r) / r ** 2, mp.mpf(1) / 2)


ATAN = near(even(lambda x: (mp.atan(x) - x) / x ** 3), -mp.mpf(1) / 3)
ASIN = near(even(lambda x: (mp.asin(x) - x) / x ** 3), mp.mpf(1) / 6)
LOG = near(even(lambda s: 2 * (mp.atanh(s) - s) / s ** 3), mp.mpf(2) / 3)
POWER = near(even(lambda s: (mp.atanh(s) - s - s ** 3 / 3) / s ** 5), mp.mpf(1) / 5)
SIN = near(even(lambda x: (mp.sin(x) - x) / x ** 3), -mp.mpf(1) / 6)
COS = near(even(lambda x: (mp.cos(x) - 1 + x ** 2 / 2) / x ** 4), mp.mpf(1) / 24)
SINH = near(even(lambda x: (mp.sinh(x) - x) / x ** 3), mp.mpf(1) / 6)
COSH = near(even(lambda x: (mp.cosh(x) - 1) / x ** 2), mp.mpf(1) / 2)
LOG1P = near(lambda f: (mp.log(1 + f) - f + f * f / 2) / f ** 3, mp.mpf(1) / 3)
ERF = near(even(lambda x: mp.erf(x) / x - 1), 2 / mp.sqrt(mp.pi) - 1)


def log_erfcx(x):
    return mp.log(mp.erfc(x)) + x ** 2


# name, the equation in words, f, interval, coefficients in binary64 routes (wide) and in binary32 ones (narrow), w
TABLE = [
    ("Exp", "e^r = 1 + r + r^2 q(r), |r| <= ln 2 / 2", exp_q(), -L2, L2, 11, 8, lambda r: abs(r) + mp.mpf("1e-3")),
    ("Log", "2 atanh(s) = 2 s + s z q(z), z = s^2", LOG, 0, Z_LOG, 9, 6, lambda z: z + mp.mpf("1e-4")),
    ("Sin", "sin r = r + r z q(z), z = r^2, |r| <= pi / 4", SIN, 0, PIO4 ** 2, 7, 5, lambda z: z + mp.mpf("1e-3")),
    ("Cos", "cos r = 1 - z / 2 + z^2 q(z), z = r^2", COS, 0, PIO4 ** 2, 7, 5, lambda z: z ** 2 + mp.mpf("1e-5")),
    ("Sinh", "sinh r = r + r z q(z), z = r^2, |r| <= ln 2 / 2", SINH, 0, L2 ** 2, 6, 4, lambda z: z + mp.mpf("1e-4")),
    ("Cosh", "cosh r = 1 + z q(z), z = r^2", COSH, 0, L2 ** 2, 6, 4, lambda z: z + mp.mpf("1e-4")),
    ("Atan", "atan t = t + t z q(z), z = t^2, |t| <= tan(pi / 8)", ATAN, 0, mp.mpf("0.1717"), 12, 0,
     lambda z: z + mp.mpf("1e-3")),
    ("AtanWhole", "the same, |t| <= 1", ATAN, 0, 1, 0, 14, lambda z: z + mp.mpf("1e-3")),
    ("Asin", "asin t = t + t z q(z), z = t^2, |t| <= 1/2", ASIN, 0, mp.mpf("0.2501"), 13, 9,
     lambda z: z + mp.mpf("1e-3")),
    ("Erf", "erf x = x + x q(z), z = x^2, |x| <= 1", ERF, 0, 1, 15, 9, one),
    ("Erfc", "erfc x = e^(q(x - 3) - x^2), 1 <= x <= 6 (binary32: 1 <= x <= 4)", None, 0, 0, 23, 12, None),
    ("ErfinvMiddle", "erfinv x = x (sqrt(pi) / 2 + w q(w - 2.5)), w = -log(1 - x^2) <= 5",
     lambda w: erfinv_slope(w + mp.mpf("2.5")), -mp.mpf("2.5"), mp.mpf("2.5"), 23, 16,
     lambda w: (w + mp.mpf("2.5001")) / erfinv_of_w(w + mp.mpf("2.5"))),
    ("ErfinvTail", "erfinv x = x q(s - 3), s = sqrt(w), 5 <= w <= 17", lambda s: erfinv_of_w((s + 3) ** 2),
     mp.sqrt(5) - 3 - mp.mpf("1e-6"), mp.sqrt(17) - 3, 24, 16, lambda s: 1 / erfinv_of_w((s + 3) ** 2)),
    ("ErfinvFar", "erfinv x = x q(s - 5), 17 <= w <= 36.1", lambda s: erfinv_of_w((s + 5) ** 2),
     mp.sqrt(17) - 5 - mp.mpf("1e-6"), mp.sqrt(mp.mpf("36.1")) - 5, 20, 0, lambda s: 1 / erfinv_of_w((s + 5) ** 2)),
    ("ExpFloat", "the same as for Exp, in binary32", exp_q(), -L2, L2, 6, 0, lambda r: abs(r) + mp.mpf("1e-3")),
    ("LogFloat", "log(1 + f) = f - f^2 / 2 + f^3 q(f), 1 + f from sqrt(1/2) to sqrt(2)", LOG1P,
     (mp.sqrt(mp.mpf(1) / 2) - 1) * (1 + mp.mpf(2) ** -10), (mp.sqrt(2) - 1) * (1 + mp.mpf(2) ** -10), 9, 0,
     lambda f: f * f + mp.mpf("1e-4")),
    ("Power", "atanh(s) = s + s z (1/3 + z q(z)), z = s^2", POWER, 0, Z_LOG, 11, 0, lambda z: z ** 2 + mp.mpf("1e-7")),
]


def entries():
    for name, text, f, a, b, wide, narrow, w in TABLE:
        for kind, n in (("", wide), ("Narrow", narrow)):
            if n == 0:
                continue
            if name == "Erfc":
                f, a, b = (lambda x: log_erfcx(x + 3)), -2, (3 if kind == "" else 1)
                w = lambda x: mp.erfc(x + 3)
            yield "k" + name + kind, text, f, a, b, n, w


def main():
    out = ["// The polynomials of optimized/functions.h, lowest power first: written by polynomials.py beside this",
           "// file, which says what each is nearest to.", "#pragma once", "", "namespace plumb {", ""]
    for name, text, f, a, b, n, w in entries():
        c, worst = remez(f, a, b, n, w)
        print(name, n, mp.nstr(mp.log(worst, 2), 5), flush=True)
        out.append(f"// {text}: error 2^{mp.nstr(mp.log(worst, 2), 4)}")
        out.append(f"inline constexpr double {name}[] = {{")
        out += ["    " + ", ".join(float(v).hex() for v in c[i:i + 4]) + "," for i in range(0, n, 4)]
        out[-1] = out[-1][:-1] + "};"
    out += ["", "}  // namespace plumb", ""]
    (pathlib.Path(__file__).parent / "coefficients.h").write_text("\n".join(out))


if __name__ == "__main__":
    main()
