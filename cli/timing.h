// Timing lives in a program of its own beside this one. Google Benchmark comes as a shared library with a C++ runtime
// that takes longer to load than most calls of `eval` take.
#pragma once

namespace plumb::cli {

// Becomes the program that times, with the same arguments, where this one does not. Throws if it is not there.
void leave_for_timing(char** argv);

}  // namespace plumb::cli
