// Cases of the table as recorded cases, so that others can look at them.
#pragma once

#include <string>
#include <vector>

#include "conformance/check.h"
#include "core/corpus.h"

namespace plumb::cli {

// The case with its inputs and the oracle's answer. `allowed` is the tolerance recorded for inexact
// outputs: the bound of the worst element.
CorpusCase recorded(const Op&, const Case&, double allowed, const std::string& note);

void save_failures(const std::string& folder, const std::vector<Failure>&);

}  // namespace plumb::cli
