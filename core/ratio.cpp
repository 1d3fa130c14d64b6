#include "core/ratio.h"

#include <cstdio>
#include <cstdlib>

namespace plumb {
namespace {

constexpr int kExact = 17;  // digits that tell every double from its neighbours

int side(double value, double border) { return (value > border) - (value < border); }

}  // namespace

std::string ratio_text(double value, double border, int digits) {
  char text[40];
  do std::snprintf(text, sizeof text, "%.*g", digits, value);
  while (side(std::strtod(text, nullptr), border) != side(value, border) && digits++ < kExact);
  return text;
}

}  // namespace plumb
