// The thinnest OpenCL layer that owns what must be released. Nothing here knows about ops.
//
// Every failure throws Error(device) that names the API call (and the build log of a kernel), before
// any result is handed out. Buffers lie between guard bands; kernels keep their buffers alive.
#pragma once

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 300
#endif
#include <CL/cl.h>

#include <concepts>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/device.h"
#include "core/limits.h"
#include "core/route.h"
#include "core/tensor.h"

namespace plumb::gpu {

// Device memory with guard bands: mem() is the payload, a sub-buffer of a larger allocation. Released memory is kept
// for the next buffer of that size, except while a MemoryWatch lives: then each buffer is its own allocation.
class Buffer : public DeviceSide {
 public:
  explicit Buffer(std::size_t bytes);
  ~Buffer() override;
  void download(std::byte* host) override;
  void upload(const std::byte* host) override;
  bool guards_intact() override;
  cl_mem mem() const { return payload_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::size_t bytes_;
  cl_mem whole_ = nullptr, payload_ = nullptr;
};
using BufferPtr = std::shared_ptr<Buffer>;

BufferPtr input(const Tensor&);   // the tensor's whole storage on the device, uploaded if stale
BufferPtr dense(const Tensor&);   // its elements in row-major order: input(), or a copy made on the device
BufferPtr output(const Tensor&);  // a fresh tensor's storage, to be written by a kernel
BufferPtr scratch(std::size_t bytes);
BufferPtr constant_bytes(const std::byte* values, std::size_t bytes);
template <class T>
BufferPtr constants(const std::vector<T>& values) {  // a table of plain values; equal small tables are one buffer
  return constant_bytes(reinterpret_cast<const std::byte*>(values.data()), values.size() * sizeof(T));
}
void fill_zero(const BufferPtr&);                // enqueued
void fill_byte(const BufferPtr&, std::uint8_t);  // enqueued
std::int64_t element_offset(const Tensor&);      // of the first element within input(), in elements

// A macro that a kernel is built with. A Limit gives its value where small limits hold; else the kernel's own holds.
struct Option {
  Option(const char* name) : Option(name, true) {}
  template <std::same_as<bool> T>  // defined or not; of no other type, lest a text become true
  Option(const char* name, T defined) : text(defined ? " -D" + std::string(name) : "") {}
  template <std::integral T>
  requires(!std::same_as<T, bool>) Option(const char* name, T value) : Option(name, std::to_string(value)) {}
  Option(const char* name, Dtype);  // an element type; what X and Y give: kernels/element.cl
  Option(const char* name, const Limit&);
  Option(const char* name, const std::string& value) : text(" -D" + std::string(name) + "=" + value) {}
  std::string text;
};

struct Options {
  Options(std::initializer_list<Option> = {});  // {{"X", Dtype::f16}, {"COLUMNS", 64}, {"WIDE", wide}}
  Options& add(const Option&);
  Options& compiler(std::string_view flag);  // what is no macro
  std::string text;
};

// A kernel of kernels/<family>.cl, built on first use with these options, cached for the process and on disk.
class Kernel {
 public:
  Kernel(std::string_view family, std::string_view name, const Options& = {});
  Kernel& arg(const BufferPtr&);
  Kernel& arg(std::int32_t);
  Kernel& arg(Dtype);  // as kernels/element.cl numbers it
  Kernel& arg(std::uint32_t);
  Kernel& arg(std::int64_t);
  Kernel& arg(std::uint64_t);
  Kernel& arg(float);
  Kernel& arg(double);
  Kernel& local(std::size_t bytes);  // a __local pointer argument
  // Enqueues. global is rounded up to a multiple of local: kernels must check their bounds. A zero size
  // enqueues nothing.
  void run(std::initializer_list<std::size_t> global, std::initializer_list<std::size_t> local = {}) const;

 private:
  std::shared_ptr<std::remove_pointer_t<cl_kernel>> kernel_;
  std::vector<std::shared_ptr<void>> kept_;
  cl_uint next_ = 0;
  std::string name_;
};

void finish();  // waits for everything enqueued; throws Error(device)

// A job whose launch enqueues kernels over buffers already bound. Outputs must be those of output().
Job job(std::vector<Tensor> out, std::function<void()> enqueue);
std::vector<Tensor> outputs(const std::vector<Spec>&);  // fresh tensors

// Every route here prefers to leave a processor to the CPU routes that are made for it.
inline constexpr Condition kNotHost{Stage::device, "the device is the host processor: a CPU route is the better choice",
                                    [](const Call&, const Device& d) { return !d.facts.is_cpu; }};

// For kernels that take extents as int; with room beyond, since the last tile may end past the extent.
bool extents_fit_int(const Call&);
inline constexpr Condition kExtentsFitInt{Stage::shape_dtype, "an extent exceeds 32 bits",
                                          [](const Call& c, const Device&) { return extents_fit_int(c); }};

// A deliberate failure at the next use, for tests of error paths.
enum class Fault { none, allocation, build, launch };
void inject(Fault);
void forget_programs();  // those built so far, as in a new process; kernels that exist keep theirs

std::unique_ptr<Platform> platform();  // the OpenCL platform of this process

}  // namespace plumb::gpu
