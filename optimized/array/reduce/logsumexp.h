// What is known of a part of a line: its greatest number, and the sum of the exponentials of the distances from it.
#pragma once

namespace plumb {

struct Exponentials {
  double greatest = -__builtin_inf(), sum = 0;  // NaN passed over; NaN if any number is
};

}  // namespace plumb
