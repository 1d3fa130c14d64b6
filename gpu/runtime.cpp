#include "gpu/runtime.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include "core/error.h"
#include "core/guard.h"
#include "gpu/opencl.h"

namespace plumb::gpu {
namespace {

std::atomic<Fault> injected{Fault::none};

Session open_session() {
  const Device& device = current_device();
  if (device.tier == Tier::unavailable) {
    throw Error("opencl", Reason::device, device.notes.empty() ? "no usable device" : device.notes.front());
  }
  if (device.facts.base_align_bytes > kGuardBytes) {
    throw Error("opencl", Reason::device,
                "buffers align to " + std::to_string(device.facts.base_align_bytes) + " bytes, more than a guard band");
  }
  const StdoutKept kept;
  const cl_device_id id = device_ids().at(static_cast<std::size_t>(device.facts.index));
  ContextHandle context = make_context(id);
  QueueHandle queue = make_queue(context.get(), id);
  return {id, std::move(context), std::move(queue)};
}

void check_allocation(cl_int status, std::string_view call, std::size_t bytes) {
  switch (status) {
    case CL_MEM_OBJECT_ALLOCATION_FAILURE:
    case CL_OUT_OF_RESOURCES:
    case CL_OUT_OF_HOST_MEMORY:
    case CL_INVALID_BUFFER_SIZE:
      throw Error("opencl", Reason::memory,
                  std::string(call) + ": " + status_text(status) + ": " + std::to_string(bytes) + " bytes");
    default: check(status, call, std::to_string(bytes) + " bytes");
  }
}

// A sub-buffer has at least one byte; for an empty payload it lies in the trailing guard band.
std::size_t payload_bytes(std::size_t bytes) { return std::max<std::size_t>(1, bytes); }

// Memory of buffers that died, by size, for buffers to come: allocating costs more than most kernels run.
class Pool {
 public:
  bool take(std::size_t bytes, cl_mem& whole, cl_mem& payload) {
    const std::lock_guard hold(lock_);
    const auto it = free_.find(bytes);
    if (it == free_.end()) return false;
    std::tie(whole, payload) = it->second;
    free_.erase(it);
    held_ -= bytes + 2 * kGuardBytes;
    return true;
  }
  bool give(std::size_t bytes, cl_mem whole, cl_mem payload) {
    const std::lock_guard hold(lock_);
    const std::size_t all = bytes + 2 * kGuardBytes;
    if (held_ + all > current_device().facts.global_bytes / 8) return false;
    free_.emplace(bytes, std::pair(whole, payload));
    held_ += all;
    return true;
  }
  bool clear() {  // whether there was anything
    const std::lock_guard hold(lock_);
    const bool any = !free_.empty();
    for (const auto& [bytes, memory] : free_) {
      clReleaseMemObject(memory.second);
      clReleaseMemObject(memory.first);
    }
    free_.clear();
    held_ = 0;
    return any;
  }

 private:
  std::mutex lock_;
  std::multimap<std::size_t, std::pair<cl_mem, cl_mem>> free_;
  std::size_t held_ = 0;
};

// Never destroyed, as the session.
Pool& pool() {
  static Pool* p = new Pool;
  return *p;
}

MemHandle allocate(std::size_t bytes) {
  const std::uint64_t limit = current_device().facts.max_allocation_bytes;
  if (bytes > limit || limit - bytes < 2 * kGuardBytes) {
    throw Error("opencl", Reason::memory,
                std::to_string(bytes) + " bytes and guard bands exceed the largest allocation, " +
                    std::to_string(limit) + " bytes");
  }
  cl_int status = CL_MEM_OBJECT_ALLOCATION_FAILURE;
  MemHandle whole;
  const bool refused = take(Fault::allocation);
  for (bool again = !refused; again; again = status != CL_SUCCESS && pool().clear())
    whole.reset(clCreateBuffer(session().context.get(), CL_MEM_READ_WRITE, bytes + 2 * kGuardBytes, nullptr, &status));
  check_allocation(status, "clCreateBuffer", bytes);
  return whole;
}

MemHandle payload_of(cl_mem whole, std::size_t bytes) {
  const cl_buffer_region region{kGuardBytes, payload_bytes(bytes)};
  cl_int status = CL_SUCCESS;
  MemHandle payload(clCreateSubBuffer(whole, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &status));
  check_allocation(status, "clCreateSubBuffer", bytes);
  return payload;
}

// Drivers allocate lazily, so that running out of memory may first show here.
template <class T>
void fill(cl_mem memory, const T& value, std::size_t offset, std::size_t bytes) {
  if (bytes == 0) return;
  const cl_int status =
      clEnqueueFillBuffer(session().queue.get(), memory, &value, sizeof value, offset, bytes, 0, nullptr, nullptr);
  check_allocation(status, "clEnqueueFillBuffer", bytes);
}

// A pattern begins at a multiple of its size: single bytes before and behind.
void fill_band(cl_mem whole, std::size_t offset, GuardPair pair) {
  const std::size_t odd = offset % 2;
  fill(whole, pair[1], offset, odd);
  fill(whole, pair, offset + odd, kGuardBytes - 2 * odd);
  fill(whole, pair[0], offset + kGuardBytes - odd, odd);
}

// A buffer of the pool keeps the pattern that it was made with: the leading band says which.
bool bands_intact(cl_mem whole, std::size_t bytes) {
  alignas(2) std::array<std::byte, kGuardBytes + 1> band;
  const auto read = [&](std::size_t offset) {
    std::byte* at = band.data() + offset % 2;
    check(clEnqueueReadBuffer(session().queue.get(), whole, CL_TRUE, offset, kGuardBytes, at, 0, nullptr, nullptr),
          "clEnqueueReadBuffer", "a guard band");
    return at;
  };
  const std::byte* before = read(0);
  const GuardPair pair = guard_of(before);
  return is_guard(before, kGuardBytes, pair) && is_guard(read(kGuardBytes + bytes), kGuardBytes, pair);
}

BufferPtr make(std::size_t bytes) { return std::make_shared<Buffer>(bytes); }

bool reuse(std::size_t bytes, cl_mem& whole, cl_mem& payload) {
  return !MemoryWatch::active() && injected != Fault::allocation && pool().take(bytes, whole, payload);
}

bool keep(std::size_t bytes, cl_mem whole, cl_mem payload) {
  return !MemoryWatch::active() && pool().give(bytes, whole, payload);
}

}  // namespace

// Never destroyed: the driver may already be gone when static objects die.
Session& session() {
  static Session* s = new Session(open_session());
  return *s;
}

void inject(Fault f) { injected = f; }

bool take(Fault f) { return injected.compare_exchange_strong(f, Fault::none); }

Buffer::Buffer(std::size_t bytes) : bytes_(bytes) {
  if (reuse(bytes, whole_, payload_)) return;
  MemHandle whole = allocate(bytes);
  MemHandle payload = payload_of(whole.get(), bytes);
  const GuardPair pair = next_guard();
  fill_band(whole.get(), 0, pair);
  fill_band(whole.get(), kGuardBytes + bytes, pair);
  if (MemoryWatch::active()) fill(whole.get(), kPoisonByte, kGuardBytes, bytes);
  whole_ = whole.release();
  payload_ = payload.release();
}

Buffer::~Buffer() {
  if (MemoryWatch::active()) {
    try {
      if (!guards_intact()) MemoryWatch::damaged("a device buffer of " + std::to_string(bytes_) + " bytes");
    } catch (const std::exception& e) {
      MemoryWatch::damaged(std::string("a device buffer that cannot be read back: ") + e.what());
    }
  }
  if (keep(bytes_, whole_, payload_)) return;
  clReleaseMemObject(payload_);
  clReleaseMemObject(whole_);
}

void Buffer::download(std::byte* host) {
  if (bytes_ == 0) return;
  check(clEnqueueReadBuffer(session().queue.get(), payload_, CL_TRUE, 0, bytes_, host, 0, nullptr, nullptr),
        "clEnqueueReadBuffer", std::to_string(bytes_) + " bytes");
}

void Buffer::upload(const std::byte* host) {
  if (bytes_ == 0) return;
  check_allocation(clEnqueueWriteBuffer(session().queue.get(), payload_, CL_TRUE, 0, bytes_, host, 0, nullptr, nullptr),
                   "clEnqueueWriteBuffer", bytes_);
}

bool Buffer::guards_intact() { return bands_intact(whole_, bytes_); }

BufferPtr input(const Tensor& t) { return std::static_pointer_cast<Buffer>(t.storage().device_read(make)); }
BufferPtr output(const Tensor& t) { return std::static_pointer_cast<Buffer>(t.storage().device_write(make)); }
BufferPtr scratch(std::size_t bytes) { return make(bytes); }

BufferPtr constant_bytes(const std::byte* values, std::size_t bytes) {
  constexpr std::size_t kSmall = 4096, kMost = 256;
  static std::mutex lock;
  static auto* known = new std::map<std::vector<std::byte>, BufferPtr>;  // never destroyed, as the session
  const auto fresh = [&] {
    BufferPtr b = make(std::max<std::size_t>(1, bytes));
    if (bytes > 0) b->upload(values);
    return b;
  };
  if (MemoryWatch::active() || bytes > kSmall) return fresh();
  const std::lock_guard hold(lock);
  if (known->size() >= kMost) known->clear();
  BufferPtr& b = (*known)[std::vector<std::byte>(values, values + bytes)];
  if (!b) b = fresh();
  return b;
}

void fill_zero(const BufferPtr& b) { fill_byte(b, 0); }
void fill_byte(const BufferPtr& b, std::uint8_t value) { fill(b->mem(), value, 0, b->bytes()); }

std::int64_t element_offset(const Tensor& t) { return t.offset_bytes() / info(t.dtype()).bytes; }

void finish() { check(clFinish(session().queue.get()), "clFinish"); }

bool extents_fit_int(const Call& call) {
  constexpr std::int64_t kTile = 512;  // at least as long as any tile
  for (const auto& s : call.specs)
    if (s && std::any_of(s->shape.begin(), s->shape.end(), [](std::int64_t n) { return n > INT32_MAX - kTile; }))
      return false;
  return true;
}

Option::Option(const char* name, const Limit& limit) : text(small_limits() ? Option(name, limit.small).text : "") {}
Option::Option(const char* name, Dtype t)
    : Option(name, t == Dtype::boolean ? "boolean" : std::string(plumb::name(t))) {}

Options::Options(std::initializer_list<Option> list) {
  for (const Option& o : list) text += o.text;
}

Options& Options::add(const Option& o) {
  text += o.text;
  return *this;
}
Options& Options::compiler(std::string_view flag) {
  text += " " + std::string(flag);
  return *this;
}

Kernel::Kernel(std::string_view family, std::string_view name, const Options& options)
    : kernel_(create_kernel(family, options.text, std::string(name))), name_(name) {}

namespace {
template <class T>
void set(cl_kernel kernel, cl_uint index, const T& value, const std::string& name) {
  check(clSetKernelArg(kernel, index, sizeof value, &value), "clSetKernelArg",
        "argument " + std::to_string(index) + " of " + name);
}
}  // namespace

Kernel& Kernel::arg(const BufferPtr& b) {
  set(kernel_.get(), next_++, b->mem(), name_);
  kept_.push_back(b);
  return *this;
}
Kernel& Kernel::arg(std::int32_t v) { return set(kernel_.get(), next_++, v, name_), *this; }
Kernel& Kernel::arg(Dtype t) { return arg(static_cast<std::int32_t>(t)); }
Kernel& Kernel::arg(std::uint32_t v) { return set(kernel_.get(), next_++, v, name_), *this; }
Kernel& Kernel::arg(std::int64_t v) { return set(kernel_.get(), next_++, v, name_), *this; }
Kernel& Kernel::arg(std::uint64_t v) { return set(kernel_.get(), next_++, v, name_), *this; }
Kernel& Kernel::arg(float v) { return set(kernel_.get(), next_++, v, name_), *this; }
Kernel& Kernel::arg(double v) { return set(kernel_.get(), next_++, v, name_), *this; }

Kernel& Kernel::local(std::size_t bytes) {
  check(clSetKernelArg(kernel_.get(), next_, bytes, nullptr), "clSetKernelArg",
        std::to_string(bytes) + " bytes of local memory for " + name_);
  ++next_;
  return *this;
}

namespace {

using Sizes = std::array<std::size_t, 3>;

// Without a wish: what the kernel requires, else a power of two per axis, as long as `limit` allows. The
// runtimes' own choice divides the global size exactly, which leaves one work-item for a prime.
Sizes default_local(cl_kernel kernel, const Sizes& global, std::size_t limit) {
  Sizes required{};
  check(clGetKernelWorkGroupInfo(kernel, session().device, CL_KERNEL_COMPILE_WORK_GROUP_SIZE, sizeof required,
                                 required.data(), nullptr),
        "clGetKernelWorkGroupInfo");
  if (required[0] != 0) return required;
  std::size_t room = std::bit_floor(std::min<std::size_t>(limit, 256));
  Sizes local{1, 1, 1};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    local[axis] = std::min(room, std::bit_ceil(global[axis]));
    room /= local[axis];
  }
  return local;
}

std::size_t work_group_limit(cl_kernel kernel) {
  std::size_t limit = 0;
  check(clGetKernelWorkGroupInfo(kernel, session().device, CL_KERNEL_WORK_GROUP_SIZE, sizeof limit, &limit, nullptr),
        "clGetKernelWorkGroupInfo");
  return limit;
}

}  // namespace

void Kernel::run(std::initializer_list<std::size_t> global, std::initializer_list<std::size_t> local) const {
  if (global.size() == 0 || global.size() > 3 || (local.size() != 0 && local.size() != global.size())) {
    throw Error("opencl", Reason::device,
                name_ + ": global and local sizes of " + std::to_string(global.size()) + " and " +
                    std::to_string(local.size()) + " dimensions");
  }
  if (std::find(global.begin(), global.end(), 0u) != global.end()) return;
  Sizes items{1, 1, 1}, group{1, 1, 1};
  std::copy(global.begin(), global.end(), items.begin());
  std::copy(local.begin(), local.end(), group.begin());
  const std::size_t limit = work_group_limit(kernel_.get());
  if (local.size() == 0) group = default_local(kernel_.get(), items, limit);
  if (group[0] * group[1] * group[2] > limit) {
    throw Error("opencl", Reason::device,
                name_ + ": a work-group of " + std::to_string(group[0] * group[1] * group[2]) +
                    " exceeds this kernel's largest, " + std::to_string(limit));
  }
  for (std::size_t axis = 0; axis < 3; ++axis)
    items[axis] = (items[axis] + group[axis] - 1) / group[axis] * group[axis];
  cl_int status = CL_OUT_OF_RESOURCES;
  if (!take(Fault::launch)) {
    status = clEnqueueNDRangeKernel(session().queue.get(), kernel_.get(), static_cast<cl_uint>(global.size()), nullptr,
                                    items.data(), group.data(), 0, nullptr, nullptr);
  }
  check(status, "clEnqueueNDRangeKernel", name_);
}

// Each launch marks the outputs as newer on the device again, so that a second launch is seen by a reader.
Job job(std::vector<Tensor> out, std::function<void()> enqueue) {
  auto launch = [out, enqueue = std::move(enqueue)] {
    for (const Tensor& t : out) output(t);
    enqueue();
  };
  return {std::move(launch), finish, [out = std::move(out)] { return out; }};
}

std::vector<Tensor> outputs(const std::vector<Spec>& specs) {
  std::vector<Tensor> out;
  for (const Spec& s : specs) out.emplace_back(s);
  return out;
}

}  // namespace plumb::gpu
