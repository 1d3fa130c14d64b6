// Links the sides: puts every family's rows into the tables of core. The only list of families.
#pragma once

#include <string_view>

namespace plumb {

void install_families();  // idempotent

// The family of the one operation that a process asks for, in place of all of them: `eval` of a small tensor takes less
// time than to make every row. All of them where none has the operation, so that an error can name the nearest.
void install_family_of(std::string_view op);

}  // namespace plumb
