// The ceilings of the host: loops that do nothing but saturate one unit of the processor.
#pragma once

#include "core/loads.h"

namespace plumb {

HostLoads ceiling_loads();

}  // namespace plumb
