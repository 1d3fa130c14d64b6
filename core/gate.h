// The one gate before a route that somebody names: whoever forces a route passes here.
#pragma once

#include <string>

#include "core/route.h"

namespace plumb {

// The device that a route runs on. One that needs none is never asked about one: no driver is woken for it.
const Device& device_of(const Route&);

// Throws Error(unsupported), with the route, the refusal and the call, where the route cannot run the call.
void admit(const Route&, const Call&, const Device&);

// "a: f32[2,3], b: f32[3,2], axis=-1": what was asked, for messages.
std::string describe(const Request&);

// Whether any op has a route of this name.
bool is_route(std::string_view name);

}  // namespace plumb
