// The one gate before a route that somebody names: whoever forces a route passes here.
#pragma once

#include "core/route.h"

namespace plumb {

// The device that a route runs on. One that needs none is never asked about one: no driver is woken for it.
const Device& device_of(const Route&);

}  // namespace plumb
