// A ratio in print, on the side of its border that it lies on.
#pragma once

#include <string>

namespace plumb {

// `digits` significant digits, and as many more as show on which side of `border` the value lies: 0.99996 is not
// written "1", nor is 1.0004.
std::string ratio_text(double value, double border = 1, int digits = 3);

}  // namespace plumb
