// The ceilings of the current device: loops that saturate one unit each.
#pragma once

#include "core/loads.h"

namespace plumb::gpu {

DeviceLoads ceiling_loads();

}  // namespace plumb::gpu
