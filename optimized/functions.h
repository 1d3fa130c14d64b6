// The elementary functions over vectors of floats and of doubles, of the whole range, with the special values of C's
// annex F: exp_of, log_of, sin_of, ..: each takes and gives f32v or f64v. Their largest errors are in functions_ulps.h.
// Those of binary32 are evaluated in two halves in binary64 and rounded once.
#pragma once

#include "optimized/functions/exp.h"
#include "optimized/functions/log.h"
#include "optimized/functions/rounding.h"
#include "optimized/functions/special.h"
#include "optimized/functions/trig.h"
