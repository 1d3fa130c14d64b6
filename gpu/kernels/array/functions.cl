// Functions that OpenCL C lacks: erfinv, sigmoid 1 / (1 + e^-x) and log(e^x + e^y); to be included, with -DFP64 for the
// forms in double. Special values are those of C's annex F for the functions that they are made of.
//
// Errors in ulps, from those of the full profile (OpenCL 1.2, section 7.4: exp and log 3, log1p 2; division 2.5 in
// float; division and square root of doubles correctly rounded, square root of floats 3). An error of k ulps is at most
// 2 k units of u relative to the result, u = 2^-24 or 2^-53; a relative error of k u is at most k ulps. Where a device
// flushes subnormal floats to zero, so do these.
//
// sigmoid    e^-|x| 6 u, of which 1 / (1 + e) keeps at most half and e / (1 + e) at most all; 1 + e rounds by u; a
// division.
//            float 6 + 1 + 2.5 = 9.5 (10), double 6 + 1 + 0.5 = 7.5 (8)
// logaddexp  of e = e^-d, d = |x - y| with what its rounding took away, 6 u and two roundings: 8 u, and log1p has 4 u
// of
//            its own. What is added is at most twice the larger of |result| and |max(x, y)|, in whose ulps this is:
//            2 (8 + 4) + 0.5 = 24.5 (25) in float and double
// erfinv     x P(w), w = -log(1 - x^2): 1 - x^2 rounds once, which moves w by u, and log by 6 u of w; |w P'(w) / P(w)|
// <= 1/2
//            and |P'(w) / P(w)| <= 0.3, so 3.3 u; above w = 5, in s = sqrt(w), the root errs by 6 u in float and by u
//            in double, and s P'(s) / P(s) is nearly 1. The polynomials err by less than u and are evaluated within 4
//            u, their terms being at most twice their sum; the product rounds: 3.3 + 6 + 1 + 4 + 1 = 15.3 (16), of
//            which 2.7 were measured on PoCL
#pragma OPENCL FP_CONTRACT OFF
#ifdef FP64
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#endif

float sigmoid_float(float x) {
  const float e = exp(-fabs(x));
  return (x < 0.0f ? e : 1.0f) / (1.0f + e);
}

// `rest` is what the rounding of d took away, by Knuth; far apart e is 0 and rest may be no number.
float logaddexp_float(float x, float y) {
  if (isnan(x) || isnan(y)) return x + y;
  const float top = fmax(x, y), low = fmin(x, y);
  if (isinf(top) || isinf(low)) return top;
  const float d = top - low, b = d - top, rest = (top - (d - b)) - (low + b);
  const float e = exp(-d);
  return top + log1p(d > 1000.0f ? 0.0f : e - e * rest);
}

// The coefficients are written by optimized/functions/polynomials.py: erfinv x = x (sqrt(pi) / 2 + w q(w - 2.5)) up to
// w = 5, x q(s - 3) above with s = sqrt(w), for doubles x q(s - 5) from w = 17.
__constant float erfinv_middle[9] = {0x1.f7f51cp-3f,  0x1.dbe542p-13f, -0x1.cdd35ep-10f,
                                     0x1.aaf7dp-13f,  0x1.8bfc54p-18f, -0x1.23ab88p-18f,
                                     0x1.7b4778p-22f, 0x1.855f4cp-25f, -0x1.2f1e74p-27f};
__constant float erfinv_tail[10] = {0x1.6a9efcp+1f,   0x1.006dc4p+0f,  0x1.357eap-7f,   -0x1.f47504p-8f,
                                    0x1.74da7ap-8f,   -0x1.d814bap-9f, 0x1.83af66p-10f, -0x1.987316p-15f,
                                    -0x1.3f57e8p-12f, 0x1.ce1f36p-14f};

float erfinv_float(float x) {
  const float a = fabs(x);
  if (!(a < 1.0f)) return a == 1.0f ? x * INFINITY : NAN;
  const float w = -log(fma(-a, a, 1.0f)), s = sqrt(w);
  float p = 0.0f;
  if (w <= 5.0f) {
    for (int i = 8; i >= 0; --i) p = fma(p, w - 2.5f, erfinv_middle[i]);
    p = fma(w, p, 0x1.c5bf8ap-1f);
  } else {
    for (int i = 9; i >= 0; --i) p = fma(p, s - 3.0f, erfinv_tail[i]);
  }
  return x * p;
}

#ifdef FP64
double sigmoid_double(double x) {
  const double e = exp(-fabs(x));
  return (x < 0.0 ? e : 1.0) / (1.0 + e);
}

double logaddexp_double(double x, double y) {
  if (isnan(x) || isnan(y)) return x + y;
  const double top = fmax(x, y), low = fmin(x, y);
  if (isinf(top) || isinf(low)) return top;
  const double d = top - low, b = d - top, rest = (top - (d - b)) - (low + b);
  const double e = exp(-d);
  return top + log1p(d > 1000.0 ? 0.0 : e - e * rest);
}

__constant double erfinv_middle_double[23] = {
    0x1.f7f51afdae3fep-3,   0x1.dbe4239db55ffp-13,  -0x1.cdd16cffaf49cp-10, 0x1.aaf86340f9782p-13,
    0x1.89643bcf3a6fcp-18,  -0x1.2378174ddfec2p-18, 0x1.8df9af6a80295p-22,  0x1.735dc3758c260p-25,
    -0x1.99c970eaf4b91p-27, 0x1.d47aa129ef1b6p-32,  0x1.a74a2a0563868p-33,  -0x1.006e83b369d0cp-35,
    -0x1.b718a4bb43feep-41, 0x1.7cd90d6337c13p-41,  -0x1.fb7dc3b33893dp-45, -0x1.1c1f3874461cep-47,
    0x1.202cd0ac02891p-49,  -0x1.a8b41fca11d1dp-55, -0x1.4b97c591fb61fp-55, 0x1.357eef8637defp-58,
    0x1.3b81c8f2c11b9p-62,  -0x1.5b45d020d805bp-64, 0x1.6a57decf1339dp-69};
__constant double erfinv_tail_double[24] = {
    0x1.6a9efbd66eae6p+1,   0x1.006dca7a9c22ap+0,   0x1.3582c8114bb06p-7,   -0x1.f4f1c6f0c039bp-8,
    0x1.7495888ed2813p-8,   -0x1.d2754fd240b76p-9,  0x1.84f3ed5ced2d0p-10,  -0x1.38430fa381604p-13,
    -0x1.28e09d84efd7ep-12, 0x1.aeffe0bf7b6e6p-13,  -0x1.85bdc9b63f842p-15, -0x1.7fbec6232e7e1p-16,
    0x1.70055b04deba9p-16,  -0x1.8f2bf1b01f55fp-18, -0x1.bc46688cc4fddp-20, 0x1.0c8c4d58f0cd3p-19,
    -0x1.57bb43a705b96p-21, -0x1.5a6b344008be2p-24, 0x1.5fc4476182ff4p-23,  -0x1.0faacf06e8989p-24,
    -0x1.1d16bfd08f12cp-31, 0x1.69be885749825p-27,  -0x1.1febbd83a034ep-28, 0x1.3fc68236676dfp-31};
__constant double erfinv_far_double[20] = {
    0x1.3664ddd1ad7fbp+2,  0x1.02a30d1fba10bp+0,   -0x1.22ea5df1c88c5p-13, -0x1.c2f36aa156cbcp-13,
    0x1.3ebf4efa50881p-14, -0x1.4a349045a5118p-16, 0x1.2fbcfe1aef973p-18,  -0x1.0a903379a5754p-20,
    0x1.ebe2aed48584dp-23, -0x1.2238360d44c77p-24, 0x1.f2951fd7e3fcdp-26,  -0x1.056926d8ac183p-26,
    0x1.0c8efc4e4332ap-27, -0x1.e50d48ae0276ep-29, 0x1.6b79785b1810ep-30,  -0x1.a91aa61da5c28p-32,
    0x1.20155ab735ce5p-34, 0x1.45af53a4f189dp-36,  -0x1.5362817a6b694p-36, 0x1.55a906a5d57f7p-38};

double erfinv_double(double x) {
  const double a = fabs(x);
  if (!(a < 1.0)) return a == 1.0 ? x * INFINITY : NAN;
  const double w = -log(fma(-a, a, 1.0)), s = sqrt(w);
  double p = 0.0;
  if (w <= 5.0) {
    for (int i = 22; i >= 0; --i) p = fma(p, w - 2.5, erfinv_middle_double[i]);
    p = fma(w, p, 0x1.c5bf891b4ef6ap-1);
  } else if (w <= 17.0) {
    for (int i = 23; i >= 0; --i) p = fma(p, s - 3.0, erfinv_tail_double[i]);
  } else {
    for (int i = 19; i >= 0; --i) p = fma(p, s - 5.0, erfinv_far_double[i]);
  }
  return x * p;
}
#endif
