// The OpenCL machine as it is: what each device says of itself, and small programs with known answers.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <sstream>
#include <utility>

#include "core/environment.h"
#include "core/error.h"
#include "gpu/drivers.h"
#include "gpu/opencl.h"

namespace plumb::gpu {
namespace {

using Words = std::vector<std::uint32_t>;

// A kernel `probe(global uint* data)` that turns `initial` into `expected`, one work-item per `items`.
struct Probe {
  std::string_view source;
  std::size_t items, local;
  Words initial, expected;
};

// Integers and floats in global memory; local memory reversed across a barrier.
constexpr std::string_view kAddSource = R"(
kernel void probe(global uint* data) {
  local uint line[64];
  const uint i = get_local_id(0);
  line[i] = data[i];
  barrier(CLK_LOCAL_MEM_FENCE);
  data[i] = line[63 - i] + 1u;
  data[64 + i] = as_uint(as_float(data[64 + i]) + 0.5f);
})";

Probe add_probe() {
  Probe p{kAddSource, 64, 64, Words(128), Words(128)};
  for (std::uint32_t i = 0; i < 64; ++i) {
    p.initial[i] = i * i;
    p.expected[i] = (63 - i) * (63 - i) + 1;
    p.initial[64 + i] = std::bit_cast<std::uint32_t>(static_cast<float>(i));
    p.expected[64 + i] = std::bit_cast<std::uint32_t>(static_cast<float>(i) + 0.5f);
  }
  return p;
}

// fma(x, x, -1) for x = 1 + i/2^30: the last term, i^2/2^60, is lost unless the product is exact.
constexpr std::string_view kFp64Source = R"(
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
kernel void probe(global uint* data) {
  global double* x = (global double*)data;
  const uint i = get_global_id(0);
  x[i] = fma(x[i], x[i], -1.0);
})";

void put(Words& words, std::size_t i, std::uint64_t value) { std::memcpy(&words[2 * i], &value, sizeof value); }

Probe fp64_probe() {
  Probe p{kFp64Source, 32, 32, Words(64), Words(64)};
  for (std::size_t i = 0; i < 32; ++i) {
    const double t = static_cast<double>(i) * 0x1p-30;
    put(p.initial, i, std::bit_cast<std::uint64_t>(1 + t));
    put(p.expected, i, std::bit_cast<std::uint64_t>(2 * t + t * t));
  }
  return p;
}

// 2048 + i in binary16, where neighbours are 2 apart: each odd sum is a tie. Halves lie in the low half of
// a word; bits are not reinterpreted, for which some drivers that do not list the extension lack functions.
constexpr std::string_view kFp16Source = R"(
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
kernel void probe(global uint* data) {
  global half* x = (global half*)data;
  const uint i = get_global_id(0);
  const half y = x[2 * i] + (half)2048.0f;
  x[2 * i] = y;
})";

Probe fp16_probe() {
  constexpr std::array<std::uint32_t, 8> small = {0x0000, 0x3C00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600, 0x4700};
  constexpr std::array<std::uint32_t, 8> sum = {0x6800, 0x6800, 0x6801, 0x6802, 0x6802, 0x6802, 0x6803, 0x6804};
  return {kFp16Source, 8, 8, Words(small.begin(), small.end()), Words(sum.begin(), sum.end())};
}

// One m16n8k16 tile by one warp: a row-major, b column-major, both packed in pairs along k, c in f32.
constexpr std::string_view kMatrixSource = R"(
kernel void probe(global uint* data) {
  const uint lane = get_local_id(0), g = lane / 4, t = lane % 4;
  global const uint *a = data, *b = data + 128;
  global uint* c = data + 192;
  const uint a0 = a[g * 8 + t], a1 = a[(g + 8) * 8 + t], a2 = a[g * 8 + t + 4], a3 = a[(g + 8) * 8 + t + 4];
  const uint b0 = b[g * 8 + t], b1 = b[g * 8 + t + 4];
  float d0, d1, d2, d3;
  asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
               "{%10,%11,%12,%13};"
               : "=f"(d0), "=f"(d1), "=f"(d2), "=f"(d3)
               : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1), "f"(0.0f), "f"(0.0f), "f"(0.0f), "f"(0.0f));
  c[g * 8 + t * 2] = as_uint(d0);
  c[g * 8 + t * 2 + 1] = as_uint(d1);
  c[(g + 8) * 8 + t * 2] = as_uint(d2);
  c[(g + 8) * 8 + t * 2 + 1] = as_uint(d3);
})";

// Integers from -3 to 3, and their binary16 forms.
int matrix_a(int row, int k) { return (row * 3 + k * 5) % 7 - 3; }
int matrix_b(int k, int column) { return (k * 2 + column * 3) % 5 - 2; }
std::uint32_t half_bits(int v) {
  constexpr std::array<std::uint32_t, 4> magnitude = {0x0000, 0x3C00, 0x4000, 0x4200};
  return magnitude[static_cast<std::size_t>(v < 0 ? -v : v)] | (v < 0 ? 0x8000u : 0u);
}

Probe matrix_probe() {
  Probe p{kMatrixSource, 32, 32, Words(), Words()};
  for (int row = 0; row < 16; ++row) {
    for (int k = 0; k < 16; k += 2)
      p.initial.push_back(half_bits(matrix_a(row, k)) | half_bits(matrix_a(row, k + 1)) << 16);
  }
  for (int n = 0; n < 8; ++n) {
    for (int k = 0; k < 16; k += 2)
      p.initial.push_back(half_bits(matrix_b(k, n)) | half_bits(matrix_b(k + 1, n)) << 16);
  }
  p.expected = p.initial;
  p.initial.resize(192 + 128);
  for (int row = 0; row < 16; ++row) {
    for (int n = 0; n < 8; ++n) {
      int sum = 0;
      for (int k = 0; k < 16; ++k) sum += matrix_a(row, k) * matrix_b(k, n);
      p.expected.push_back(std::bit_cast<std::uint32_t>(static_cast<float>(sum)));
    }
  }
  return p;
}

// 256 work-items add (i + 1) * 2^30 to one 64-bit word by compare and exchange.
constexpr std::string_view kAtomicsSource = R"(
#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable
kernel void probe(global uint* data) {
  volatile global ulong* word = (volatile global ulong*)data;
  const ulong mine = (ulong)(get_global_id(0) + 1) << 30;
  ulong seen = *word, was;
  while ((was = atom_cmpxchg(word, seen, seen + mine)) != seen) seen = was;
})";

Probe atomics_probe() {
  Probe p{kAtomicsSource, 256, 64, Words(2), Words(2)};
  put(p.expected, 0, (256ull * 257 / 2) << 30);
  return p;
}

Probe probe_of(TestKernel kernel) {
  switch (kernel) {
    case TestKernel::add: return add_probe();
    case TestKernel::fp64: return fp64_probe();
    case TestKernel::fp16: return fp16_probe();
    case TestKernel::matrix_f16: return matrix_probe();
    case TestKernel::int64_atomics: return atomics_probe();
  }
  throw std::logic_error("probe_of: not a test kernel");
}

bool memory_status(cl_int s) {
  return s == CL_MEM_OBJECT_ALLOCATION_FAILURE || s == CL_OUT_OF_HOST_MEMORY || s == CL_OUT_OF_RESOURCES;
}

std::string first_line(const std::string& text) {
  const std::size_t at = text.find("error");
  std::size_t begin = at == std::string::npos ? 0 : text.rfind('\n', at);
  begin = begin == std::string::npos ? 0 : begin + (text[begin] == '\n');
  return text.substr(begin, std::min(text.find('\n', begin), begin + 200) - begin);
}

Outcome compare(const Words& got, const Words& want) {
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (got[i] == want[i]) continue;
    std::ostringstream why;
    why << "gives a wrong answer: word " << i << " is 0x" << std::hex << got[i] << ", not 0x" << want[i];
    return {false, why.str()};
  }
  return {true, ""};
}

Outcome execute(cl_context context, cl_command_queue queue, cl_program program, const Probe& p) {
  cl_int status = CL_SUCCESS;
  const std::size_t bytes = p.initial.size() * sizeof(std::uint32_t);
  MemHandle memory(clCreateBuffer(context, CL_MEM_READ_WRITE, bytes, nullptr, &status));
  if (memory_status(status)) return {false, "runs out of memory: clCreateBuffer: " + status_text(status)};
  check(status, "clCreateBuffer");
  check(clEnqueueWriteBuffer(queue, memory.get(), CL_TRUE, 0, bytes, p.initial.data(), 0, nullptr, nullptr),
        "clEnqueueWriteBuffer");
  const KernelHandle kernel(clCreateKernel(program, "probe", &status));
  check(status, "clCreateKernel");
  cl_mem argument = memory.get();
  check(clSetKernelArg(kernel.get(), 0, sizeof argument, &argument), "clSetKernelArg");
  status = clEnqueueNDRangeKernel(queue, kernel.get(), 1, nullptr, &p.items, &p.local, 0, nullptr, nullptr);
  check(status, "clEnqueueNDRangeKernel");
  Words got(p.initial.size());
  check(clEnqueueReadBuffer(queue, memory.get(), CL_TRUE, 0, bytes, got.data(), 0, nullptr, nullptr),
        "clEnqueueReadBuffer");
  return compare(got, p.expected);
}

template <class T>
T number(cl_device_id device, cl_device_info what) {
  T value{};
  check(clGetDeviceInfo(device, what, sizeof value, &value, nullptr), "clGetDeviceInfo");
  return value;
}

std::string trimmed(std::string s) {
  while (!s.empty() && (s.back() == '\0' || s.back() == ' ')) s.pop_back();
  return s;
}

std::string text(cl_device_id device, cl_device_info what) {
  std::size_t bytes = 0;
  check(clGetDeviceInfo(device, what, 0, nullptr, &bytes), "clGetDeviceInfo");
  std::string value(bytes, '\0');
  check(clGetDeviceInfo(device, what, bytes, value.data(), nullptr), "clGetDeviceInfo");
  return trimmed(value);
}

std::string platform_name(cl_device_id device) {
  const auto platform = number<cl_platform_id>(device, CL_DEVICE_PLATFORM);
  std::size_t bytes = 0;
  check(clGetPlatformInfo(platform, CL_PLATFORM_NAME, 0, nullptr, &bytes), "clGetPlatformInfo");
  std::string value(bytes, '\0');
  check(clGetPlatformInfo(platform, CL_PLATFORM_NAME, bytes, value.data(), nullptr), "clGetPlatformInfo");
  return trimmed(value);
}

std::vector<std::string> words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

// cl_nv_device_attribute_query, by value: the header that names these is not everywhere.
constexpr cl_device_info kComputeMajor = 0x4000, kComputeMinor = 0x4001, kWarpSize = 0x4003;

void ask_vendor(cl_device_id device, DeviceFacts& f) {
  if (!f.has("cl_nv_device_attribute_query")) return;
  f.compute_capability =
      static_cast<int>(10 * number<cl_uint>(device, kComputeMajor) + number<cl_uint>(device, kComputeMinor));
  f.warp = static_cast<int>(number<cl_uint>(device, kWarpSize));
}

DeviceFacts facts_of(cl_device_id device, int index) {
  DeviceFacts f;
  f.index = index;
  f.platform = platform_name(device);
  f.name = text(device, CL_DEVICE_NAME);
  f.vendor = text(device, CL_DEVICE_VENDOR);
  f.driver = text(device, CL_DRIVER_VERSION);
  f.version = text(device, CL_DEVICE_VERSION);
  f.c_version = text(device, CL_DEVICE_OPENCL_C_VERSION);
  f.extensions = words(text(device, CL_DEVICE_EXTENSIONS));
  f.compute_units = static_cast<int>(number<cl_uint>(device, CL_DEVICE_MAX_COMPUTE_UNITS));
  f.clock_mhz = static_cast<int>(number<cl_uint>(device, CL_DEVICE_MAX_CLOCK_FREQUENCY));
  f.is_cpu = (number<cl_device_type>(device, CL_DEVICE_TYPE) & CL_DEVICE_TYPE_CPU) != 0;
  f.global_bytes = number<cl_ulong>(device, CL_DEVICE_GLOBAL_MEM_SIZE);
  f.local_bytes = number<cl_ulong>(device, CL_DEVICE_LOCAL_MEM_SIZE);
  f.max_allocation_bytes = number<cl_ulong>(device, CL_DEVICE_MAX_MEM_ALLOC_SIZE);
  f.max_work_group = number<std::size_t>(device, CL_DEVICE_MAX_WORK_GROUP_SIZE);
  f.base_align_bytes = number<cl_uint>(device, CL_DEVICE_MEM_BASE_ADDR_ALIGN) / 8;
  f.claims_fp64 = f.has("cl_khr_fp64");
  constexpr cl_device_fp_config kIeee = CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT | CL_FP_DENORM;
  f.ieee_f32 = (number<cl_device_fp_config>(device, CL_DEVICE_SINGLE_FP_CONFIG) & kIeee) == kIeee;
  ask_vendor(device, f);
  return f;
}

constexpr int kMatrixComputeCapability = 80;  // the first with mma.m16n8k16 on f16

// Asks the drivers in this process.
class Direct : public Platform {
 public:
  std::vector<DeviceFacts> devices() override {
    std::vector<DeviceFacts> found;
    for (cl_device_id id : device_ids()) found.push_back(facts_of(id, static_cast<int>(found.size())));
    return found;
  }

  Outcome run(const DeviceFacts& facts, TestKernel kernel) override {
    // Some drivers compile binary16 without listing it; for the others trying only makes noise.
    if (kernel == TestKernel::fp16 && !facts.has("cl_khr_fp16") && facts.compute_capability == 0) {
      return {false, "cl_khr_fp16 is not listed"};
    }
    if (kernel == TestKernel::matrix_f16 && facts.compute_capability < kMatrixComputeCapability) {
      return {false, "no matrix units that OpenCL C reaches here"};
    }
    const Probe p = probe_of(kernel);
    try {
      open(facts.index);
      return attempt(p);
    } catch (const Error& e) {
      return {false, "fails: " + e.detail()};
    }
  }

 private:
  Outcome attempt(const Probe& p) {
    ProgramHandle program;
    try {
      program = build(context_.get(), device_, p.source, "-cl-std=CL1.2");
    } catch (const Error& e) {
      return {false, "does not build: " + first_line(e.detail())};
    }
    return execute(context_.get(), queue_.get(), program.get(), p);
  }

  // Making a context is what costs; the probes of one device share it.
  void open(int index) {
    if (index == open_) return;
    open_ = -1;
    device_ = device_ids().at(static_cast<std::size_t>(index));
    queue_.reset();
    context_ = make_context(device_);
    queue_ = make_queue(context_.get(), device_);
    open_ = index;
  }

  int open_ = -1;
  cl_device_id device_ = nullptr;
  ContextHandle context_;
  QueueHandle queue_;
};

// Asks only drivers that served where they were tried, and takes the verdicts of the test kernels from there.
class Tried : public Platform {
 public:
  std::vector<DeviceFacts> devices() override {
    trial_ = try_drivers(direct_, probe_seconds());
    for (const DriverNote& note : trial_.notes) note_driver(note);
    if (trial_.devices.empty()) return {};
    const OnlyDrivers only(trial_.use);
    const StdoutKept kept;
    return direct_.devices();
  }

  // Equal devices of one driver come in the same order there and here.
  Outcome run(const DeviceFacts& facts, TestKernel kernel) override {
    if (facts.index != asked_) {
      asked_ = facts.index;
      const auto same = [&](const TriedDevice& d) { return d.identity == identity(facts); };
      const auto at = std::find_if(trial_.devices.begin(), trial_.devices.end(), same);
      current_ = {};
      if (at != trial_.devices.end()) current_ = std::move(*at), trial_.devices.erase(at);
    }
    const auto it = current_.outcomes.find(kernel);
    return it == current_.outcomes.end() ? Outcome{false, "was not run where the driver was tried"} : it->second;
  }

 private:
  Direct direct_;
  Trial trial_;
  int asked_ = -1;
  TriedDevice current_;
};

}  // namespace

std::unique_ptr<Platform> platform() { return std::make_unique<Tried>(); }

}  // namespace plumb::gpu
