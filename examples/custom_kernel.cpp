// A kernel of your own on the device: its text, its launch, its answer beside the exact one, and a mistake in it.
#include <cstdio>

#include "cli/families.h"
#include "core/route.h"
#include "library/custom_kernel.h"

using namespace plumb;

// Rows of a matrix summed: a group takes a row, its threads every n-th element each, and a tree joins them.
constexpr const char* kBody = R"(
  local float part[64];
  const uint row = threadgroup_position_in_grid.x, t = thread_index_in_threadgroup;
  float sum = 0;
  for (uint k = t; k < (uint)a_shape[1]; k += 64) sum += a[row * a_shape[1] + k];
  part[t] = sum;
  for (uint n = 32; n > 0; n /= 2) {
    barrier(CLK_LOCAL_MEM_FENCE);
    if (t < n) part[t] += part[t + n];
  }
  if (t == 0) out[row] = part[0];
)";

int main() {
  install_families();
  if (current_device().tier == Tier::unavailable) return std::printf("no OpenCL device here\n"), 0;

  constexpr std::int64_t rows = 5, columns = 1000;
  std::vector<double> values;
  for (std::int64_t i = 0; i < rows * columns; ++i) values.push_back(1.0 / static_cast<double>(1 + i % 997));
  const Tensor a = tensor(Dtype::f32, {rows, columns}, values);

  // The grid counts threads: 64 for each row, a row for each group.
  const CustomKernel kernel({.name = "row_sums", .inputs = {"a"}, .outputs = {"out"}, .body = kBody});
  const std::vector<Tensor> got =
      kernel({a}, {.outputs = {{Dtype::f32, {rows}}}, .grid = {64 * rows, 1, 1}, .group = {64, 1, 1}});

  // The same question asked of the reference. The order of the sums is what the kernel does: 64 lanes and a tree.
  const Call call = make_call("sum", {a}, {{"axis", 1}});
  Order order;
  order.shape = Order::Shape::lanes, order.lanes = 64;
  const Deviation d = compare(call, call.op->oracle(call), magnitude(call), order, got);
  std::printf("largest error %.2g of the allowed one, %s\n", d.ratio, d.ok() ? "right" : "wrong");

  // A text that does not compile is an error that names its line.
  try {
    const CustomKernel wrong({.name = "wrong", .inputs = {"a"}, .outputs = {"out"}, .body = "\n  out[0] = b[0];\n"});
    (void)wrong({a}, {.outputs = {{Dtype::f32, {1}}}});
  } catch (const Error& e) {
    const std::string what = e.what();
    std::printf("%s\n", what.substr(0, what.find(", clBuildProgram")).c_str());
    return d.ok() && e.reason() == Reason::device && what.find("line 2") != std::string::npos ? 0 : 1;
  }
  return 1;
}
