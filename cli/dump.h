// Cases of the table as recorded cases, so that others can look at them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conformance/check.h"
#include "core/corpus.h"

namespace plumb::cli {

// The case with its inputs and the oracle's answers, once for each data set of the salt: "ID#14" and "ID#15" of
// salt 7. `allowed` is the tolerance recorded for inexact outputs: the bound of the worst element.
std::vector<CorpusCase> recorded(const Op&, const Case&, std::uint64_t salt, double allowed, const std::string& note);

void save_failures(const std::string& folder, const std::vector<Failure>&);

}  // namespace plumb::cli
