#include "core/loads.h"

namespace plumb {
namespace {

HostLoads on_host;
DeviceLoads on_device;

}  // namespace

void install_loads(const HostLoads& host, const DeviceLoads& device) {
  on_host = host;
  on_device = device;
}

const HostLoads& host_loads() { return on_host; }
const DeviceLoads& device_loads() { return on_device; }

}  // namespace plumb
