// What a machine offers, and how sure we are of it. Knows no device API: gpu/ implements Platform, and
// tests play it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace plumb {

// In increasing order. unavailable: no usable OpenCL device, CPU routes only.
enum class Tier : std::uint8_t { unavailable, gpu, neural_accelerator };
std::string_view name(Tier);

// What a device says of itself.
struct DeviceFacts {
  int index = -1;  // position in Platform::devices()
  std::string platform, name, vendor, driver, version, c_version;
  std::vector<std::string> extensions;
  int compute_units = 0;
  int clock_mhz = 0;    // the most it may run at; 0 if it does not say
  bool is_cpu = false;  // the host processor, behind a device API
  std::uint64_t global_bytes = 0, local_bytes = 0, max_allocation_bytes = 0;
  std::size_t max_work_group = 0;
  std::size_t base_align_bytes = 0;
  bool claims_fp64 = false;
  bool ieee_f32 = false;       // f32 divides with one correct rounding and keeps subnormal numbers
  int compute_capability = 0;  // 90 for 9.0; 0 if the vendor has none
  int warp = 0;                // 0 if unknown

  bool has(std::string_view extension) const;
};

// Small programs with known answers. A claim counts only if its test kernel builds and is right.
enum class TestKernel : std::uint8_t {
  add,            // integers and floats in global memory, a barrier in local memory
  fp64,           // fma in binary64
  fp16,           // arithmetic in binary16
  matrix_f16,     // one tile product on the matrix units, f16 in, f32 accumulate
  int64_atomics,  // 64-bit compare and exchange, for hash tables
};
std::string_view name(TestKernel);

struct Outcome {
  bool ok = false;
  std::string why;  // if not: "does not build: ...", "wrong answer: ...", "out of memory: ..."
};

class Platform {
 public:
  virtual ~Platform() = default;
  virtual std::vector<DeviceFacts> devices() = 0;  // throws Error(device); empty if there is none
  virtual Outcome run(const DeviceFacts&, TestKernel) = 0;
};

// A device with what was verified of it.
struct Device {
  DeviceFacts facts;
  Tier tier = Tier::unavailable;
  bool fp64 = false, fp16 = false, matrix_f16 = false, int64_atomics = false;
  std::vector<std::string> notes;  // why something is not offered, one line each
};

Device probe(Platform&, const DeviceFacts&);
std::vector<Device> probe_all(Platform&);  // never throws: an unusable platform gives no device and a note

// The best tier, an accelerator before a CPU, unless `wanted` names another: an index, part of a name, or
// "none". Throws Error(query) if it names no device; tier unavailable, with a note, if there is none.
Device choose(const std::vector<Device>&, std::string_view wanted);

const Device& current_device();  // that routes run on: chosen once, by PLUMB_DEVICE where it is set
const std::vector<Device>& all_devices();
void install_platform(std::unique_ptr<Platform>);  // by whoever links gpu/, before the first question

}  // namespace plumb
