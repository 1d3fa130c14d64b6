// Recorded cases: cases.json + data.safetensors in one folder. The format of golden vectors, of failing
// cases and of the project's own corpus; described in docs/corpus.md.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/attrs.h"
#include "core/case.h"
#include "core/safetensors.h"

namespace plumb {

struct CorpusCase {
  std::string id, op, note, source;
  Attrs attrs;
  std::map<std::string, Tensor> inputs;                 // by argument name
  std::map<std::string, Layout> layouts;                // of inputs that do not lie row-major in memory
  std::vector<std::pair<std::string, Tensor>> outputs;  // (name, value), in order
  std::string compare;                                  // exact, close, invariant; empty for error cases
  std::vector<std::pair<double, double>> tol;           // rtol, atol per output
  std::string check;                                    // for invariant
  std::optional<std::string> error;                     // the class of a call that must be rejected
  std::optional<Reason> reason;                         // and the reason of it here, where that is recorded
  bool signed_zero = false;
};

std::vector<CorpusCase> read_corpus(const std::string& folder);  // throws Error(file)
// The text of a cases.json, and what opens the tensors that it names; `path` is what errors call it.
std::vector<CorpusCase> parse_corpus(std::string_view text, const std::function<Container()>& data,
                                     const std::string& path);
void write_corpus(const std::string& folder, const std::vector<CorpusCase>&);

}  // namespace plumb
