#include "gpu/custom.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>

#include "core/error.h"
#include "gpu/opencl.h"

namespace plumb::gpu {
namespace {

// One build at a time, under the lock; what failed is tried again. Never destroyed, as the session.
cl_program program_of(const CustomLaunch& l) {
  static std::mutex lock;
  static auto* known = new std::map<std::pair<std::string, std::string>, ProgramHandle>;
  const std::lock_guard hold(lock);
  ProgramHandle& p = (*known)[{l.text, l.options}];
  const StdoutKept kept;
  if (!p) p = build(session().context.get(), session().device, l.text, "-cl-std=CL1.2" + l.options);
  return p.get();
}

KernelHandle kernel_of(const CustomLaunch& l) {
  cl_int status = CL_SUCCESS;
  KernelHandle k(clCreateKernel(program_of(l), l.name.c_str(), &status));
  check(status, "clCreateKernel", l.name);
  return k;
}

void set_arguments(cl_kernel k, const CustomLaunch& l) {
  cl_uint index = 0;
  for (const CustomArgument& a : l.arguments) {
    const std::string which = "argument " + std::to_string(index) + " of " + l.name;
    if (const auto* buffer = std::get_if<BufferPtr>(&a)) {
      const cl_mem mem = (*buffer)->mem();
      check(clSetKernelArg(k, index++, sizeof mem, &mem), "clSetKernelArg", which);
    } else {
      const auto& bytes = std::get<std::vector<std::byte>>(a);
      check(clSetKernelArg(k, index++, bytes.size(), bytes.data()), "clSetKernelArg", which);
    }
  }
}

void set_size(cl_kernel k, cl_uint index, const CustomSize& s) {
  const std::array<cl_uint, 4> value{static_cast<cl_uint>(s[0]), static_cast<cl_uint>(s[1]), static_cast<cl_uint>(s[2]),
                                     0};
  check(clSetKernelArg(k, index, sizeof value, value.data()), "clSetKernelArg", "sizes of the launch");
}

// Threads of an axis whose groups are all of one size.
struct Stretch {
  std::size_t first, threads, group, first_group;
};

std::vector<Stretch> stretches(std::int64_t grid, std::int64_t group) {
  const auto threads = static_cast<std::size_t>(grid), each = static_cast<std::size_t>(group);
  const std::size_t whole = threads / each, rest = threads % each;
  std::vector<Stretch> all;
  if (whole > 0) all.push_back({0, whole * each, each, 0});
  if (rest > 0) all.push_back({whole * each, rest, rest, whole});
  return all;
}

void check_group(cl_kernel k, const CustomLaunch& l) {
  std::size_t most = 0;
  check(clGetKernelWorkGroupInfo(k, session().device, CL_KERNEL_WORK_GROUP_SIZE, sizeof most, &most, nullptr),
        "clGetKernelWorkGroupInfo");
  const std::int64_t threads = l.group[0] * l.group[1] * l.group[2];
  if (static_cast<std::size_t>(threads) > most)
    throw Error(l.name, Reason::attribute,
                "a group of " + std::to_string(threads) + " threads, but the device holds " + std::to_string(most));
}

}  // namespace

void run_custom(const CustomLaunch& l) {
  const KernelHandle k = kernel_of(l);
  check_group(k.get(), l);
  set_arguments(k.get(), l);
  const auto last = static_cast<cl_uint>(l.arguments.size());
  set_size(k.get(), last + 1, l.grid);
  set_size(k.get(), last + 2, l.group);
  for (const Stretch& z : stretches(l.grid[2], l.group[2]))
    for (const Stretch& y : stretches(l.grid[1], l.group[1]))
      for (const Stretch& x : stretches(l.grid[0], l.group[0])) {
        const std::array<std::size_t, 3> first{x.first, y.first, z.first}, threads{x.threads, y.threads, z.threads},
            group{x.group, y.group, z.group};
        set_size(k.get(), last,
                 {static_cast<std::int64_t>(x.first_group), static_cast<std::int64_t>(y.first_group),
                  static_cast<std::int64_t>(z.first_group)});
        check(clEnqueueNDRangeKernel(session().queue.get(), k.get(), 3, first.data(), threads.data(), group.data(), 0,
                                     nullptr, nullptr),
              "clEnqueueNDRangeKernel", l.name);
      }
}

void fill_custom(const Tensor& out, const Tensor& value) {
  const BufferPtr to = output(out);
  if (to->bytes() == 0) return;
  const auto bytes = static_cast<std::size_t>(info(out.dtype()).bytes);
  check(clEnqueueFillBuffer(session().queue.get(), to->mem(), value.read<std::byte>(), bytes, 0, to->bytes(), 0,
                            nullptr, nullptr),
        "clEnqueueFillBuffer", to_string(out.spec()));
}

}  // namespace plumb::gpu
