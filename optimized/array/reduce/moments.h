// Moments of a part of a line.
#pragma once

namespace plumb {

struct Moments {
  double n = 0, mean = 0, squares = 0;  // values, their mean, the sum of squared distances from it
};

}  // namespace plumb
