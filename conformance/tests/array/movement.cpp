// What moves elements and computes nothing: a view makes no copy, and a copy keeps every bit, of a NaN too. The rows
// are those that have a route so named.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cli/families.h"
#include "conformance/check.h"
#include "core/fill.h"
#include "core/gate.h"
#include "core/memory.h"

namespace plumb {
namespace {

bool named(const Route& r, std::string_view what) { return r.name.ends_with(what); }

bool moves(const Op& op) {
  return std::any_of(routes(op).begin(), routes(op).end(),
                     [](const Route& r) { return named(r, ".view") || named(r, ".copy"); });
}

class Movement : public testing::Test {
 protected:
  static void SetUpTestSuite() { install_families(); }
};

// What the outputs are to the input: copies that were made of it, and bytes of new memory.
void expect_no_copy(const Op& op, const Case& c, const Route& r) {
  const Call call = make_call(op, realize(op, c), c.attrs);
  const Device& device = device_of(r);
  if (device.tier < r.needs || !refusal(r, call, device).empty()) return;
  const std::size_t before = host_bytes_alive();
  const std::vector<Tensor> out = run(call, r);
  std::size_t copies = 0;
  for (const Tensor& t : out) copies += &t.storage() != &call[0].storage();
  EXPECT_EQ(copies, 0U) << id(op, c) << "@" << r.name;
  EXPECT_EQ(host_bytes_alive(), before) << id(op, c) << "@" << r.name << " makes memory";
}

TEST_F(Movement, AViewIsTheMemoryOfItsInput) {
  std::size_t asked = 0;
  for (const Op& op : ops())
    for (const Route& r : routes(op)) {
      if (!named(r, ".view")) continue;
      ++asked;
      for (const Case& c : cases_of(op, Budget::smoke)) expect_no_copy(op, c, r);
    }
  EXPECT_GE(asked, 20U);
}

TEST_F(Movement, WhatCanBeAViewIsNotCopied) {
  for (const Op& op : ops())
    for (const Case& c : cases_of(op, Budget::smoke)) {
      const Call call = make_call(op, hollow(c), c.attrs);
      for (const Route& r : routes(op)) {
        if (r.name != "cpu.view" || !refusal(r, call, Device{}).empty()) continue;
        EXPECT_EQ(select(call, Device{}).route, &r) << id(op, c);
      }
    }
}

Tensor as_words(const Tensor& dense) {
  Tensor words(Spec{Dtype::u32, dense.shape()});
  if (dense.size() > 0)
    std::memcpy(words.write<std::byte>(), dense.read<std::byte>(), static_cast<std::size_t>(dense.size()) * 4);
  return words;
}

std::string bytes_of(const Tensor& t) {
  const Tensor dense = contiguous(t);
  return dense.size() == 0 ? ""
                           : std::string(reinterpret_cast<const char*>(dense.read<std::byte>()),
                                         static_cast<std::size_t>(dense.size() * info(dense.dtype()).bytes));
}

// The same call on the bits as whole numbers, of which no route can change any. A constant other than +0 would be
// another one.
bool has_bits(const Case& c) {
  const bool floats =
      std::all_of(c.in.begin(), c.in.end(), [](const auto& in) { return !in || in->dtype == Dtype::f32; });
  return floats && std::none_of(c.attrs.begin(), c.attrs.end(), [](const auto& a) {
           const double* value = a.second.template get<double>();
           return value && (*value != 0 || std::signbit(*value));
         });
}

TEST_F(Movement, EveryBitOfAFloatIsKept) {
  std::size_t asked = 0;
  for (const Op& op : ops()) {
    if (!moves(op)) continue;
    for (const Case& c : cases_of(op, Budget::smoke)) {
      if (!has_bits(c)) continue;
      std::vector<Tensor> floats, words;
      for (std::size_t i = 0; i < c.in.size(); ++i) {
        floats.push_back(c.in[i] ? fill({Dtype::f32, c.in[i]->shape}, "bits", i + 1) : Tensor());
        words.push_back(c.in[i] ? as_words(floats.back()) : Tensor());
      }
      const Call one = make_call(op, floats, c.attrs), other = make_call(op, words, c.attrs);
      for (const Route& r : routes(op)) {
        const Device& device = device_of(r);
        if (r.name == kReference || device.tier < r.needs || !refusal(r, one, device).empty()) continue;
        const std::vector<Tensor> a = run(one, r), b = run(other, r);
        ASSERT_EQ(a.size(), b.size());
        for (std::size_t k = 0; k < a.size(); ++k)
          EXPECT_EQ(bytes_of(a[k]), bytes_of(b[k])) << id(op, c) << "@" << r.name;
        ++asked;
      }
    }
  }
  EXPECT_GT(asked, 500U);
}

}  // namespace
}  // namespace plumb
