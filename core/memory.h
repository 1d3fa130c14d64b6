// Storage: bytes that know on which side they are current, between guard bands.
//
// Every storage, on the host and on a device, is surrounded by guard bands. While a MemoryWatch lives,
// new storage is poisoned (so that an element that was never written is seen), and damage to any guard
// band is collected when the storage dies or is inspected.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace plumb {

inline constexpr std::size_t kGuardBytes = 4096;   // on each side; a multiple of every base alignment met
inline constexpr std::uint8_t kGuardByte = 0xFF;   // NaN in every float type
inline constexpr std::uint8_t kPoisonByte = 0xFB;  // a huge negative number in every float type, no valid index

// The device half of a storage. gpu/ implements it; core only needs to move bytes.
class DeviceSide {
 public:
  virtual ~DeviceSide() = default;
  virtual void download(std::byte* host) = 0;      // blocks; throws Error(device)
  virtual void upload(const std::byte* host) = 0;  // blocks; throws Error(device)
  virtual bool guards_intact() = 0;                // blocks
};

// Host memory. What is large comes straight from the system in huge pages where it has them, so that rows gathered
// from all over a buffer do not each cost a walk of the page table.
struct HostRelease {
  std::size_t mapped = 0;  // bytes, or 0: from the heap
  void operator()(std::byte*) const;
};
using HostBlock = std::unique_ptr<std::byte, HostRelease>;
HostBlock host_block(std::size_t bytes);  // null where there is no memory

class Storage {
 public:
  explicit Storage(std::size_t bytes);  // allocates neither side yet; each is made on first use
  ~Storage();
  Storage(const Storage&) = delete;
  Storage& operator=(const Storage&) = delete;

  std::size_t bytes() const { return bytes_; }
  const std::byte* host_read();  // current host bytes; downloads if only the device has them
  std::byte* host_write();       // likewise, and the device side is stale from here on

  // The device side, made by `make(bytes)` on first use. device_read uploads if the host is newer;
  // device_write leaves the host side stale.
  using MakeDevice = std::function<std::shared_ptr<DeviceSide>(std::size_t bytes)>;
  std::shared_ptr<DeviceSide> device_read(const MakeDevice& make);
  std::shared_ptr<DeviceSide> device_write(const MakeDevice& make);

  bool written() const { return written_; }  // some side holds real contents: there is something to read
  bool guards_intact();                      // both sides

 private:
  void make_host();
  std::size_t bytes_;
  HostBlock host_block_;  // guard, bytes, guard
  std::byte* host_ = nullptr;
  std::shared_ptr<DeviceSide> device_;
  bool host_current_ = true, device_current_ = false;
  bool written_ = false;
};

// While one lives (they nest), new storage is poisoned and guard damage is collected.
class MemoryWatch {
 public:
  MemoryWatch();
  ~MemoryWatch();
  MemoryWatch(const MemoryWatch&) = delete;
  MemoryWatch& operator=(const MemoryWatch&) = delete;
  static bool active();
  static void damaged(const std::string& what);   // called by whoever finds a broken guard band
  static std::vector<std::string> take_damage();  // what was collected since the last call
};

// Bytes of host storage now alive and the highest ever, for memory budgets.
std::size_t host_bytes_alive();
std::size_t host_bytes_peak();
void reset_host_bytes_peak();

}  // namespace plumb
