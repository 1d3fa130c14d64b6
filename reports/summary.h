// What a reader of a report must know first: the verdict, and what is worst. Both pages are made from it.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace plumb::reports {

using Json = nlohmann::ordered_json;

struct Beside {
  std::size_t row = 0, peer = 0;  // of bench.rows: the fastest CPU route of a case, and a peer of as many threads
  double ratio = 0;               // time of the peer over time of the route: below 1 the route is slower
};

// Positions are those of check.tallies and bench.rows.
struct Summary {
  std::string verdict;                   // right, doubted, failed, partial or empty
  std::string headline, detail, counts;  // in words
  std::vector<std::size_t> errors;       // rows: what went wrong while it was timed
  std::vector<std::size_t> mistrusted;   // tallies with cases that no finite bound judges, most first
  std::vector<std::size_t> closest;  // tallies by error / allowed, largest first; those of exact routes are left out
  std::vector<std::size_t> slowest;  // rows: the best share of the ceiling of each op on the device and on the host,
                                     // least first
  std::vector<std::size_t> untimed;  // rows
  std::vector<Beside> peers;         // slowest route first
};

Summary summarise(const Json& report);
Json to_json(const Summary&);

}  // namespace plumb::reports
