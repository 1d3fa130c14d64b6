#include "gpu/opencl.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "core/error.h"

namespace plumb::gpu {
namespace {

constexpr int kNoPlatform = -1001;  // CL_PLATFORM_NOT_FOUND_KHR: the loader is there, no driver is

constexpr std::pair<int, const char*> kStatus[] = {
    {CL_SUCCESS, "CL_SUCCESS"},
    {CL_DEVICE_NOT_FOUND, "CL_DEVICE_NOT_FOUND"},
    {CL_DEVICE_NOT_AVAILABLE, "CL_DEVICE_NOT_AVAILABLE"},
    {CL_COMPILER_NOT_AVAILABLE, "CL_COMPILER_NOT_AVAILABLE"},
    {CL_MEM_OBJECT_ALLOCATION_FAILURE, "CL_MEM_OBJECT_ALLOCATION_FAILURE"},
    {CL_OUT_OF_RESOURCES, "CL_OUT_OF_RESOURCES"},
    {CL_OUT_OF_HOST_MEMORY, "CL_OUT_OF_HOST_MEMORY"},
    {CL_BUILD_PROGRAM_FAILURE, "CL_BUILD_PROGRAM_FAILURE"},
    {CL_MISALIGNED_SUB_BUFFER_OFFSET, "CL_MISALIGNED_SUB_BUFFER_OFFSET"},
    {CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST, "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST"},
    {CL_INVALID_VALUE, "CL_INVALID_VALUE"},
    {CL_INVALID_DEVICE_TYPE, "CL_INVALID_DEVICE_TYPE"},
    {CL_INVALID_PLATFORM, "CL_INVALID_PLATFORM"},
    {CL_INVALID_DEVICE, "CL_INVALID_DEVICE"},
    {CL_INVALID_CONTEXT, "CL_INVALID_CONTEXT"},
    {CL_INVALID_QUEUE_PROPERTIES, "CL_INVALID_QUEUE_PROPERTIES"},
    {CL_INVALID_COMMAND_QUEUE, "CL_INVALID_COMMAND_QUEUE"},
    {CL_INVALID_MEM_OBJECT, "CL_INVALID_MEM_OBJECT"},
    {CL_INVALID_BINARY, "CL_INVALID_BINARY"},
    {CL_INVALID_BUILD_OPTIONS, "CL_INVALID_BUILD_OPTIONS"},
    {CL_INVALID_PROGRAM, "CL_INVALID_PROGRAM"},
    {CL_INVALID_PROGRAM_EXECUTABLE, "CL_INVALID_PROGRAM_EXECUTABLE"},
    {CL_INVALID_KERNEL_NAME, "CL_INVALID_KERNEL_NAME"},
    {CL_INVALID_KERNEL_DEFINITION, "CL_INVALID_KERNEL_DEFINITION"},
    {CL_INVALID_KERNEL, "CL_INVALID_KERNEL"},
    {CL_INVALID_ARG_INDEX, "CL_INVALID_ARG_INDEX"},
    {CL_INVALID_ARG_VALUE, "CL_INVALID_ARG_VALUE"},
    {CL_INVALID_ARG_SIZE, "CL_INVALID_ARG_SIZE"},
    {CL_INVALID_KERNEL_ARGS, "CL_INVALID_KERNEL_ARGS"},
    {CL_INVALID_WORK_DIMENSION, "CL_INVALID_WORK_DIMENSION"},
    {CL_INVALID_WORK_GROUP_SIZE, "CL_INVALID_WORK_GROUP_SIZE"},
    {CL_INVALID_WORK_ITEM_SIZE, "CL_INVALID_WORK_ITEM_SIZE"},
    {CL_INVALID_OPERATION, "CL_INVALID_OPERATION"},
    {CL_INVALID_BUFFER_SIZE, "CL_INVALID_BUFFER_SIZE"},
    {CL_INVALID_GLOBAL_WORK_SIZE, "CL_INVALID_GLOBAL_WORK_SIZE"},
    {kNoPlatform, "CL_PLATFORM_NOT_FOUND_KHR"},
};

std::vector<cl_platform_id> platform_ids() {
  cl_uint n = 0;
  const cl_int status = clGetPlatformIDs(0, nullptr, &n);
  if (status == kNoPlatform || (status == CL_SUCCESS && n == 0)) return {};
  check(status, "clGetPlatformIDs");
  std::vector<cl_platform_id> ids(n);
  check(clGetPlatformIDs(n, ids.data(), nullptr), "clGetPlatformIDs");
  return ids;
}

cl_int append_devices(cl_platform_id platform, std::vector<cl_device_id>& ids) {
  cl_uint n = 0;
  cl_int status = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, nullptr, &n);
  if (status == CL_DEVICE_NOT_FOUND || (status == CL_SUCCESS && n == 0)) return CL_SUCCESS;
  if (status != CL_SUCCESS) return status;
  const std::size_t have = ids.size();
  ids.resize(have + n);
  status = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, n, ids.data() + have, nullptr);
  if (status != CL_SUCCESS) ids.resize(have);
  return status;
}

std::string build_log(cl_program program, cl_device_id device) {
  std::size_t bytes = 0;
  if (clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, 0, nullptr, &bytes) != CL_SUCCESS) return "";
  std::string log(bytes, '\0');
  if (clGetProgramBuildInfo(program, device, CL_PROGRAM_BUILD_LOG, bytes, log.data(), nullptr) != CL_SUCCESS) return "";
  while (!log.empty() && (log.back() == '\0' || log.back() == '\n' || log.back() == ' ')) log.pop_back();
  return log;
}

}  // namespace

std::string status_text(cl_int status) {
  const auto* row = std::find_if(std::begin(kStatus), std::end(kStatus), [&](auto& r) { return r.first == status; });
  const std::string name = row == std::end(kStatus) ? "an unknown status" : row->second;
  return name + " (" + std::to_string(status) + ")";
}

void check(cl_int status, std::string_view call, const std::string& detail) {
  if (status == CL_SUCCESS) return;
  const std::string tail = detail.empty() ? "" : ": " + detail;
  throw Error("opencl", Reason::device, std::string(call) + ": " + status_text(status) + tail);
}

// A driver without its hardware fails here while another platform works: an error only if nothing is found.
std::vector<cl_device_id> device_ids() {
  std::vector<cl_device_id> ids;
  cl_int trouble = CL_SUCCESS;
  for (cl_platform_id platform : platform_ids()) {
    const cl_int status = append_devices(platform, ids);
    if (status != CL_SUCCESS) trouble = status;
  }
  if (ids.empty()) check(trouble, "clGetDeviceIDs");
  return ids;
}

StdoutKept::StdoutKept() {
  std::fflush(stdout);
  before_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  if (before_ >= 0) ::dup2(STDERR_FILENO, STDOUT_FILENO);
}

StdoutKept::~StdoutKept() {
  std::fflush(stdout);
  if (before_ < 0) return;
  ::dup2(before_, STDOUT_FILENO);
  ::close(before_);
}

ContextHandle make_context(cl_device_id device) {
  cl_int status = CL_SUCCESS;
  ContextHandle context(clCreateContext(nullptr, 1, &device, nullptr, nullptr, &status));
  check(status, "clCreateContext");
  return context;
}

// The one queue function that every version of the API has; deprecated later, never removed.
QueueHandle make_queue(cl_context context, cl_device_id device) {
  cl_int status = CL_SUCCESS;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
  QueueHandle queue(clCreateCommandQueue(context, device, 0, &status));
#pragma GCC diagnostic pop
  check(status, "clCreateCommandQueue");
  return queue;
}

ProgramHandle build(cl_context context, cl_device_id device, std::string_view source, const std::string& options) {
  const char* text = source.data();
  const std::size_t length = source.size();
  cl_int status = CL_SUCCESS;
  ProgramHandle program(clCreateProgramWithSource(context, 1, &text, &length, &status));
  check(status, "clCreateProgramWithSource");
  status = clBuildProgram(program.get(), 1, &device, options.c_str(), nullptr, nullptr);
  if (status != CL_SUCCESS) check(status, "clBuildProgram", build_log(program.get(), device));
  return program;
}

}  // namespace plumb::gpu
