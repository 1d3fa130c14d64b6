// The normal distribution of the oracles, in the widest type of the C library.
#pragma once

namespace plumb::reference {

// log Q(z), Q(z) the probability of a number beyond z, for z >= 0.
long double log_tail(long double z);

// The z >= 0 with log Q(z) = t, t <= -log 2.
long double tail_quantile(long double t);

// The number y with erf y = x, -1 < x < 1.
long double erf_quantile(long double x);

}  // namespace plumb::reference
