#include "reports/across/speed.h"

#include <algorithm>
#include <cmath>

namespace plumb::reports {
namespace {

constexpr std::size_t kAround = 40;    // rows that were timed next to one
constexpr std::size_t kAlike = 80;     // rows that take about as long
constexpr std::size_t kTail = 40;      // fewer do not tell how noise ends
constexpr std::size_t kFew = 12;       // fewer of them say nothing
constexpr double kUnknownNoise = 0.1;  // of the logarithm, where nothing tells it
constexpr double kFalseAlarms = 0.05;  // of comparisons in which nothing has changed
constexpr double kWideBeyond = 3;      // scales: a row in which its own runs are so far apart has a scale of its own

using Numbers = std::vector<double>;

double quantile(Numbers v, double share) {
  if (v.empty()) return 0;
  const auto at = v.begin() + std::lround(share * static_cast<double>(v.size() - 1));
  std::nth_element(v.begin(), at, v.end());
  return *at;
}

double median(const Numbers& v) { return quantile(v, 0.5); }

Numbers sizes(Numbers v) {
  for (double& x : v) x = std::abs(x);
  return v;
}

// Robust against a fifth of rows that did change; the middle of a normal distribution's sizes is 0.674 of its scale,
// four fifths lie within 1.28.
double scale(const Numbers& v) {
  const Numbers s = sizes(v);
  return std::max(median(s) / 0.674, quantile(s, 0.8) / 1.28);
}

double log_of(const Timed& row, std::size_t run) { return std::log(row.seconds[run]); }

class Comparison {
 public:
  explicit Comparison(const std::vector<Timed>& rows)
      : rows_(rows), runs_(rows.empty() ? 0 : rows[0].seconds.size()), by_time_(rows.size()) {
    for (std::size_t i = 0; i < rows.size(); ++i) by_time_[i] = i;
    std::sort(by_time_.begin(), by_time_.end(),
              [&](std::size_t a, std::size_t b) { return rows[a].seconds.back() < rows[b].seconds.back(); });
  }

  Speeds speeds(double margin) const {
    Speeds all;
    const Numbers raw = newer_over_older();
    all.shift = std::exp(median(raw));
    Numbers around;
    const Numbers d = without_machine(raw, around), s = scales(d, around);
    const double reach = reached_by_noise(d, s);
    Numbers within;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      all.rows.push_back(judged(d[i], reach * s[i], margin));
      within.push_back(rows_[i].error);
    }
    all.noise = median(s), all.within = median(within);
    return all;
  }

 private:
  Numbers newer_over_older() const {
    Numbers d;
    for (const Timed& row : rows_) {
      double older = 0;
      for (std::size_t run = 0; run + 1 < runs_; ++run) older += log_of(row, run);
      d.push_back(log_of(row, runs_ - 1) - older / static_cast<double>(runs_ - 1));
    }
    return d;
  }

  bool apart(std::size_t i, std::size_t j) const {
    return rows_[i].op != rows_[j].op && rows_[i].on_device == rows_[j].on_device;
  }

  // Values of the rows nearest to place `at` of an order, which are of other operations.
  template <class Order>
  Numbers nearest(const Numbers& values, std::size_t at, std::size_t most, Order&& order) const {
    Numbers near;
    const std::size_t n = rows_.size(), own = order(at);
    for (std::size_t step = 1; step < n && near.size() < most; ++step) {
      if (step <= at && apart(own, order(at - step))) near.push_back(values[order(at - step)]);
      if (at + step < n && apart(own, order(at + step))) near.push_back(values[order(at + step)]);
    }
    return near;
  }

  // Less what the rows next to each have; `around` gets their scale, which is wide where the machine was changing.
  Numbers without_machine(const Numbers& d, Numbers& around) const {
    Numbers rest;
    around.clear();
    for (std::size_t i = 0; i < d.size(); ++i) {
      Numbers near = nearest(d, i, kAround, [](std::size_t at) { return at; });
      const double middle = near.size() < kFew ? 0 : median(near);
      for (double& x : near) x -= middle;
      rest.push_back(d[i] - middle);
      around.push_back(near.size() < kFew ? 0 : scale(near));
    }
    return rest;
  }

  // Of each row, what rows that take about as long have.
  Numbers scales_of(const Numbers& d) const {
    Numbers s(d.size());
    for (std::size_t at = 0; at < d.size(); ++at) {
      const Numbers alike = nearest(d, at, kAlike, [&](std::size_t place) { return by_time_[place]; });
      s[by_time_[at]] = alike.size() < kFew ? kUnknownNoise : scale(alike);
    }
    return s;
  }

  Numbers scales(const Numbers& d, const Numbers& around) const {
    Numbers s = scales_of(d);
    const double fewer = std::sqrt((1 + 1 / static_cast<double>(runs_ - 1)) / 2);  // noise of d over that of one pair
    for (std::size_t run = 0; run + 2 < runs_; ++run) {
      const Numbers pair = between(run), of_pair = scales_of(pair);
      for (std::size_t i = 0; i < s.size(); ++i) {
        const double own = std::abs(pair[i]);
        s[i] = std::max(s[i], fewer * (own > kWideBeyond * of_pair[i] ? own : of_pair[i]));
      }
    }
    for (std::size_t i = 0; i < s.size(); ++i) s[i] = std::max({s[i], around[i], rows_[i].error});
    return s;
  }

  // Of an older run and the next.
  Numbers between(std::size_t run) const {
    Numbers d, around;
    for (const Timed& row : rows_) d.push_back(log_of(row, run + 1) - log_of(row, run));
    return without_machine(d, around);
  }

  // How many scales noise reaches in one of the rows, once in 1 / kFalseAlarms comparisons.
  double reached_by_noise(const Numbers& d, const Numbers& s) const {
    Numbers z;
    for (std::size_t i = 0; i < d.size(); ++i) z.push_back(s[i] > 0 ? std::abs(d[i]) / s[i] : 0);
    const double n = static_cast<double>(d.size());
    double begin = 1.61, slope = 1;  // of an exponential tail with the scale 1, where too few rows tell of theirs
    if (d.size() >= kTail) begin = quantile(z, 0.8), slope = (begin - median(z)) / std::log(2.5);
    return std::max(begin + std::max(slope, 0.6) * std::log(0.2 * n / kFalseAlarms), 3.0);
  }

  static Ratio judged(double d, double reach, double margin) {
    Ratio r{std::exp(d), std::exp(d - reach), std::exp(d + reach)};
    if (r.low >= 1 / (1 + margin) && r.high <= 1 + margin) r.verdict = Speed::same;
    else if (r.low > 1) r.verdict = Speed::slower;
    else if (r.high < 1) r.verdict = Speed::faster;
    return r;
  }

  const std::vector<Timed>& rows_;
  const std::size_t runs_;
  std::vector<std::size_t> by_time_;  // rows, the shortest first
};

}  // namespace

std::string_view name(Speed s) {
  switch (s) {
    case Speed::faster: return "faster";
    case Speed::same: return "same";
    case Speed::slower: return "slower";
    case Speed::ambiguous: break;
  }
  return "ambiguous";
}

Speeds compare_speeds(const std::vector<Timed>& rows, double margin) {
  return rows.empty() ? Speeds{} : Comparison(rows).speeds(margin);
}

}  // namespace plumb::reports
