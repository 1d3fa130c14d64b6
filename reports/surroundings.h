// What a run happens in, beside the devices: facts that explain a time or an answer.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace plumb::reports {

using Json = nlohmann::ordered_json;

Json host();         // processor, instruction set, threads, system, clock
Json environment();  // variables that this program, its threads, OpenCL, or a peer obey, by name

}  // namespace plumb::reports
