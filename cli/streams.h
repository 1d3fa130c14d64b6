// The standard streams of the program: there from the beginning, and asked at the end whether they took everything.
#pragma once

namespace plumb::cli {

// Before anything is opened: a closed stream must not be taken by a file. Throws Error(file) where standard output
// cannot be written to. From here on a broken pipe or a file that may not grow is an error of the write, not a signal.
void guard_streams();

// Throws Error(file) if anything that was printed was lost.
void finish_output();

}  // namespace plumb::cli
