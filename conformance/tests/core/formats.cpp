// Every format against every dtype, layout and size, and against files that are cut off or lie.
#include "core/formats/format.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <utility>

#include "conformance/tests/temporary.h"
#include "core/error.h"
#include "core/fill.h"
#include "core/formats/npy.h"
#include "core/strict_json.h"

namespace plumb::formats {
namespace {

using ::testing::HasSubstr;

std::string bytes_of(const Tensor& t) {
  const Tensor dense = contiguous(t);
  const auto bytes = static_cast<std::size_t>(dense.size() * info(dense.dtype()).bytes);
  return bytes > 0 ? std::string(dense.read<char>(), bytes) : std::string();
}

std::string path_of(const Format& f, const std::string& stem = "formats") {
  return temporary(stem + std::string(f.suffix));
}

// The same tensor by its values, laid out otherwise.
std::map<std::string, Tensor> layouts(Dtype dtype) {
  const std::string values = dtype == Dtype::boolean ? "order" : "uniform";
  const Tensor base = fill({dtype, {6, 10}}, values, 7);
  return {{"row-major", base},
          {"transposed", base.view({10, 6}, {1, 10})},
          {"reversed", base.view({6, 10}, {-10, -1}, 59)},
          {"stepped", base.view({3, 5}, {20, 2}, 1)},
          {"broadcast", base.view({4, 10}, {0, 1}, 20)},
          {"scalar", base.view({}, {}, 13)},
          {"one", base.view({1}, {1}, 13)},
          {"four axes", base.view({2, 3, 2, 5}, {30, 10, 5, 1})},
          {"five axes", base.view({1, 2, 3, 2, 5}, {60, 30, 10, 5, 1})},
          {"empty", Tensor(Spec{dtype, {0, 3}})},
          {"large", fill({dtype, {700, 301}}, values, 9)}};
}

// Bits return, or the format says that it has no form for such a tensor, and then no file is there.
void round_trip(const Format& f, const std::string& name, const Tensor& t) {
  const std::string path = path_of(f);
  std::remove(path.c_str());
  const std::string key = f.named ? "w" : "";
  const std::string why = f.refuses(t.spec());
  if (!why.empty()) {
    try {
      write(path, {{{key, t}}, {}, {}});
      ADD_FAILURE() << f.name << " took " << name << ", which it refuses: " << why;
    } catch (const Error& e) {
      EXPECT_EQ(e.reason(), Reason::unsupported);
      EXPECT_THAT(e.what(), HasSubstr(why));
    }
    EXPECT_FALSE(std::ifstream(path).good());
    return;
  }
  write(path, {{{key, t}}, {}, {}});
  const Contents back = read(path);
  ASSERT_EQ(back.tensors.size(), 1U);
  const Tensor& got = back.tensors.at(key);
  ASSERT_EQ(got.spec(), t.spec()) << f.name << ", " << name;
  EXPECT_EQ(bytes_of(got), bytes_of(t)) << f.name << ", " << name << " of " << to_string(t.spec());
}

TEST(Formats, EveryDtypeLayoutAndSizeReturns) {
  int held = 0, refused = 0;
  for (const Format& f : all_formats())
    for (const DtypeInfo& dtype : all_dtypes())
      for (const auto& [name, t] : layouts(dtype.dtype)) {
        (f.refuses(t.spec()).empty() ? held : refused) += 1;
        round_trip(f, name, t);
      }
  const int each = static_cast<int>(all_dtypes().size() * layouts(Dtype::f32).size());
  EXPECT_EQ(held + refused, each * static_cast<int>(all_formats().size()));
  // ggml has neither truth values, unsigned or complex numbers, nor scalars, more than four axes or nothing.
  EXPECT_EQ(refused, 6 * 11 + 8 * 3);
}

TEST(Formats, NamesAndMetadataReturn) {
  for (const Format& f : all_formats()) {
    if (!f.named) continue;
    Contents all;
    for (const char* name : {"b", "a.weight", "layers.0/x y",
                             "Gr\xC3\xB6\xC3\x9F"
                             "e"})
      all.tensors.emplace(name, tensor(Dtype::f32, {2}, {static_cast<double>(all.tensors.size()), 1}));
    if (f.metadata) all.metadata = {{"general.name", "a name"}, {"empty", ""}};
    write(path_of(f), all);
    const Contents back = read(path_of(f));
    ASSERT_EQ(back.tensors.size(), 4U) << f.name;
    for (const auto& [name, t] : all.tensors) EXPECT_EQ(bytes_of(back.tensors.at(name)), bytes_of(t)) << f.name << name;
    EXPECT_EQ(back.metadata, all.metadata) << f.name;
  }
}

TEST(Formats, NoTensorsAreAFileToo) {
  for (const Format& f : all_formats())
    if (f.named) {
      write(path_of(f), {});
      EXPECT_TRUE(read(path_of(f)).tensors.empty()) << f.name;
    }
}

std::string complaint(const std::function<void()>& f) {
  try {
    f();
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

TEST(Formats, WhatAFormatHasNoFormForIsRefused) {
  const Tensor t = tensor(Dtype::f32, {1}, {1});
  EXPECT_THAT(complaint([&] {
                write(temporary("two.npy"), {{{"a", t}, {"b", t}}, {}, {}});
              }),
              HasSubstr("npy has no form for this: 2 tensors in a file of one"));
  EXPECT_THAT(complaint([&] {
                write(temporary("m.npz"), {{{"a", t}}, {}, {{"k", "v"}}});
              }),
              HasSubstr("npz has no form for \"k\": it is metadata"));
  EXPECT_THAT(complaint([&] {
                write(temporary("u.npz"), {{{"a", t}}, {{"q", "blocks of 4 bits"}}, {}});
              }),
              HasSubstr("npz has no form for \"q\": blocks of 4 bits"));
  EXPECT_THAT(complaint([&] { write(temporary("n.gguf"), {{{"", t}}, {}, {}}); }), HasSubstr("without a name"));
  EXPECT_THAT(complaint([&] {
                write(temporary("x.txt"), {{{"", t}}, {}, {}});
              }),
              HasSubstr("no format has this ending; there are .npy .npz .gguf .safetensors"));
}

// A file that holds a little of everything.
std::string whole_file(const Format& f) {
  Contents all;
  all.tensors.emplace(f.named ? "a" : "", tensor(Dtype::f32, {2, 3}, {1, 2, 3, 4, 5, 6}));
  if (f.named) all.tensors.emplace("b", tensor(Dtype::i16, {5}, {1, 2, 3, 4, 5}));
  if (f.metadata) all.metadata = {{"k", "v"}};
  write(path_of(f, "whole"), all);
  return read_file(path_of(f, "whole"));
}

// Read, or refused as a file: nothing else, whatever the bytes are. True if it was read.
bool survives(const Format& f, std::string bytes) {
  ByteSource file(std::move(bytes), "evil");
  try {
    f.read(std::move(file));
    return true;
  } catch (const Error& e) {
    EXPECT_EQ(e.reason(), Reason::file) << e.what();
    EXPECT_THAT(e.what(), HasSubstr("evil"));
    return false;
  }
}

TEST(Formats, AFileThatIsCutOffAnywhereIsRefused) {
  for (const Format& f : all_formats()) {
    const std::string whole = whole_file(f);
    ASSERT_TRUE(survives(f, whole)) << f.name;
    // What fills a GGUF file to a multiple of 32 belongs to no tensor.
    const std::size_t data = f.name == "gguf" ? whole.size() - 22 : whole.size();
    for (std::size_t length = 0; length < data; ++length)
      EXPECT_FALSE(survives(f, whole.substr(0, length))) << f.name << " cut to " << length << " of " << whole.size();
  }
}

// Each byte of a member stands behind its checksum.
TEST(Formats, AChangedElementOfAnArchiveIsNoticed) {
  const Format& npz = format_for(".npz");
  const std::string whole = whole_file(npz), element = bytes_of(tensor(Dtype::f32, {1}, {6}));
  const std::size_t at = whole.find(element);
  ASSERT_NE(at, std::string::npos);
  for (std::size_t i = at; i < at + element.size(); ++i) {
    std::string bytes = whole;
    bytes[i] = static_cast<char>(bytes[i] ^ 1);
    EXPECT_FALSE(survives(npz, bytes)) << i;
  }
}

TEST(Formats, AnyByteMayLie) {
  for (const Format& f : all_formats()) {
    const std::string whole = whole_file(f);
    for (std::size_t at = 0; at < whole.size(); ++at)
      for (const int value : {0x00, 0x01, 0x7F, 0x80, 0xFF}) {
        std::string bytes = whole;
        bytes[at] = static_cast<char>(value);
        survives(f, bytes);
      }
  }
}

std::string hex(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) {
    constexpr char kDigits[] = "0123456789abcdef";
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

// What other software wrote, and what it says that its files hold (conformance/golden/files.py).
TEST(Formats, FilesOfOthersHoldWhatTheySay) {
  const std::string folder = std::string(PLUMB_SOURCE_DIR) + "/conformance/files/";
  const nlohmann::json holds = parse_strict(read_file(folder + "holds.json"), "holds.json").at("files");
  EXPECT_GT(holds.size(), 30U);
  for (const auto& [file, said] : holds.items()) {
    const Contents all = read(folder + file);
    EXPECT_EQ(all.tensors.size(), said.at("tensors").size()) << file;
    EXPECT_TRUE(all.unread.empty()) << file;
    const std::map<std::string, std::string> metadata = said.at("metadata");
    EXPECT_EQ(all.metadata, metadata) << file;
    for (const auto& [name, facts] : said.at("tensors").items()) {
      ASSERT_TRUE(all.tensors.contains(name)) << file << ": " << name;
      EXPECT_EQ(to_string(all.tensors.at(name).spec()), facts.at("spec").get<std::string>()) << file << ": " << name;
      EXPECT_EQ(hex(bytes_of(all.tensors.at(name))), facts.at("bytes").get<std::string>()) << file << ": " << name;
    }
  }
}

std::string npy(const std::string& header, const std::string& data) {
  std::string bytes("\x93NUMPY\1\0", 8);
  bytes += static_cast<char>(header.size());
  bytes += '\0';
  return bytes + header + data;
}

Tensor read_text(const std::string& header, const std::string& data) {
  ByteSource file(npy(header, data), "x.npy");
  return read_npy(file);
}

TEST(Npy, ReadsEitherOrderOfBytesAndAxes) {
  const Tensor big =
      read_text("{'descr': '>i2', 'fortran_order': False, 'shape': (2,), }\n", std::string("\1\2\3\4", 4));
  EXPECT_EQ(integers(widen(big)).data, (std::vector<std::int64_t>{0x0102, 0x0304}));
  const Tensor turned = read_text("{\"shape\":(2,3),\"fortran_order\":True,\"descr\":\"|u1\"}", "\1\2\3\4\5\6");
  EXPECT_EQ(unsigneds(widen(turned)).data, (std::vector<std::uint64_t>{1, 3, 5, 2, 4, 6}));
  // Both parts of a complex number are turned, each by itself: 1 - 2i.
  const Tensor complex =
      read_text("{'descr': '>c8', 'fortran_order': False, 'shape': (), }", std::string("\x3F\x80\0\0\xC0\0\0\0", 8));
  EXPECT_EQ(complexes(widen(complex)).data, (std::vector<Complex>{{1, -2}}));
  const Tensor bf16 =
      read_text("{'descr': '<V2', 'fortran_order': False, 'shape': (1,), }", std::string("\x80\x3F", 2));
  EXPECT_EQ(bf16.dtype(), Dtype::bf16);
  EXPECT_EQ(reals(widen(bf16)).data, std::vector<double>{1});
}

TEST(Npy, SaysWhatIsWrongWithAHeader) {
  const std::pair<const char*, const char*> bad[] = {
      {"{'descr': '<c16', 'fortran_order': False, 'shape': (1,), }", "no dtype for elements of type \"<c16\""},
      {"{'descr': '<f16', 'fortran_order': False, 'shape': (1,), }", "\"<f16\""},
      {"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "\"|O\""},
      {"{'descr': '<U3', 'fortran_order': False, 'shape': (1,), }", "\"<U3\""},
      {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "several fields"},
      {"{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }", "instead of True or False"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "instead of a size"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1), }", "a number in brackets"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': [1], }", "instead of ("},
      {"{'descr': '<f4', 'fortran_order': False, }", "only 2 of"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}", "the key \"more\""},
      {"{'descr': '<f4', 'descr': '<f4', 'shape': (1,), }", "the key \"descr\" twice"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x", "behind it"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", "overflows"},
      {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "truncated: 4 bytes"},
      {"{'descr': '|b1', 'fortran_order': False, 'shape': (4,), }", "bool element 3 is 2"},
      {"{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", "more than 3 bytes"},
  };
  for (const auto& [header, told] : bad) {
    const std::string text = header;  // clang 14 captures no structured binding
    EXPECT_THAT(complaint([&] { read_text(text, std::string("\0\0\1\2", 4)); }), HasSubstr(told)) << header;
  }
}

}  // namespace
}  // namespace plumb::formats
