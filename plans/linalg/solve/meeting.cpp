#include "plans/linalg/solve/meeting.h"

namespace plumb {
namespace {

Shape leading(const Shape& s) { return s.size() < 2 ? Shape{} : Shape(s.begin(), s.end() - 2); }

// The matrix of an operand that meets matrix t of the result.
std::int64_t met(std::int64_t t, const Shape& batch, const Shape& own) {
  std::int64_t at = 0, step = 1;
  for (std::size_t d = 0; d < batch.size(); ++d) {
    const std::int64_t extent = batch[batch.size() - 1 - d], i = t % extent;
    t /= extent;
    if (d >= own.size()) continue;
    const std::int64_t size = own[own.size() - 1 - d];
    if (size != 1) at += i * step;
    step *= size;
  }
  return at;
}

}  // namespace

Meeting meeting(const Call& c) {
  const Shape &a = c.shape(0), &b = c.shape(1);
  const Shape left = leading(a), right = leading(b), batch = broadcast(c.op->name, left, right);
  Meeting m{.n = a.back(), .k = b.size() < 2 ? 1 : b.back(), .matrices = count(batch), .distinct = count(left)};
  for (std::int64_t t = 0; t < m.matrices; ++t) {
    m.a_of.push_back(met(t, batch, left));
    m.b_of.push_back(met(t, batch, right));
  }
  return m;
}

}  // namespace plumb
