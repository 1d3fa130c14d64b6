// Links the sides: puts every family's rows into the tables of core. The only list of families.
#pragma once

namespace plumb {
void install_families();  // idempotent
}
