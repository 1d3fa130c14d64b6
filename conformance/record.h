// Cases of the table as recorded cases, so that others can look at them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conformance/check.h"
#include "core/corpus.h"

namespace plumb {

// The case with its inputs and the oracle's answers, once for each data set of the salt: "ID#14" and "ID#15" of
// salt 7. `allowed`: the bound of the worst element, a tolerance for readers that cannot derive one.
std::vector<CorpusCase> recorded(const Op&, const Case&, std::uint64_t salt, double allowed, const std::string& note);

// The name of an input; of one beyond those that the row has, which a call that must be refused may give, its number.
std::string recorded_input(const Op&, std::size_t position);

// The reject of the op that has this case id; null if it is a case like others.
const Reject* reject_of(const std::vector<Reject>&, const Op&, const std::string& case_id);

void save_failures(const std::string& folder, const std::vector<Failure>&);

}  // namespace plumb
