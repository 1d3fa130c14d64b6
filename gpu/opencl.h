// OpenCL handles that release themselves, status codes as errors, the one context. Private to gpu/.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "gpu/runtime.h"

namespace plumb::gpu {

std::string status_text(cl_int status);  // "CL_INVALID_VALUE (-30)"

// Throws Error(device) reading "clFinish: CL_OUT_OF_RESOURCES (-5)", with detail behind it if any.
void check(cl_int status, std::string_view call, const std::string& detail = "");

template <auto Release>
struct Releaser {
  template <class T>
  void operator()(T* handle) const {
    Release(handle);
  }
};
template <class T, auto Release>
using Handle = std::unique_ptr<std::remove_pointer_t<T>, Releaser<Release>>;
using ContextHandle = Handle<cl_context, clReleaseContext>;
using QueueHandle = Handle<cl_command_queue, clReleaseCommandQueue>;
using ProgramHandle = Handle<cl_program, clReleaseProgram>;
using KernelHandle = Handle<cl_kernel, clReleaseKernel>;
using MemHandle = Handle<cl_mem, clReleaseMemObject>;

std::vector<cl_device_id> device_ids();  // of every platform; position is DeviceFacts::index
ContextHandle make_context(cl_device_id);
QueueHandle make_queue(cl_context, cl_device_id);

// Throws Error(device) with the build log.
ProgramHandle build(cl_context, cl_device_id, std::string_view source, const std::string& options);

// The context and the in-order queue of current_device(), made on first use and kept for the process.
struct Session {
  cl_device_id device;
  ContextHandle context;
  QueueHandle queue;
};
Session& session();  // throws Error(device) if there is no device

// While it lives, what a driver prints to stdout goes to stderr: stdout is the caller's, and may be JSON.
class StdoutKept {
 public:
  StdoutKept();
  ~StdoutKept();
  StdoutKept(const StdoutKept&) = delete;

 private:
  int before_;
};

bool take(Fault);  // whether this fault was injected; it strikes once

// A kernel of kernels/<family>.cl, whose program is built on first use.
// Its arguments are the holder's alone; it serves again when nobody holds it.
std::shared_ptr<std::remove_pointer_t<cl_kernel>> create_kernel(std::string_view family, const std::string& options,
                                                                const std::string& name);

}  // namespace plumb::gpu
