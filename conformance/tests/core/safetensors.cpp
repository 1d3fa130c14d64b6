// The container reader against files made to break it.
#include "core/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstring>
#include <ctime>
#include <functional>
#include <thread>

#include "conformance/tests/temporary.h"
#include "core/error.h"
#include "core/fill.h"
#include "core/strict_json.h"

namespace plumb {
namespace {

using ::testing::HasSubstr;

#if defined(__SANITIZE_ADDRESS__)
constexpr double kSecond = 20;  // of an instrumented program
#else
constexpr double kSecond = 1;
#endif

std::string packed(const std::string& header, const std::string& data = "") {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

// What a hostile file is told; "" if it was accepted.
std::string complaint(const std::string& bytes) {
  try {
    parse_safetensors(bytes, "evil.safetensors");
    return "";
  } catch (const Error& e) {
    EXPECT_EQ(e.reason(), Reason::file) << e.what();
    EXPECT_THAT(e.what(), HasSubstr("evil.safetensors"));
    return e.what();
  }
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"w":{"dtype":)" + dtype + R"(,"shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
}

std::string small_file() {
  const std::string path = temporary("small.safetensors");
  write_safetensors(path, {{"a", tensor(Dtype::f32, {2}, {1, 2})}, {"b", tensor(Dtype::boolean, {3}, {1, 0, 1})}});
  return read_file(path);
}

TEST(Safetensors, WritesWhatItReadsForEveryDtype) {
  const std::string path = temporary("all.safetensors");
  TensorMap out;
  for (const DtypeInfo& t : all_dtypes()) out[std::string(t.name)] = fill({t.dtype, {2, 3}}, "uniform", 7);
  out["scalar"] = tensor(Dtype::f64, {}, {0.1});
  out["empty"] = tensor(Dtype::i8, {0, 4}, {});
  out["turned"] = tensor(Dtype::i16, {2, 3}, {1, 2, 3, 4, 5, 6}).view({3, 2}, {1, 3});
  write_safetensors(path, out);
  const TensorMap in = read_safetensors(path);
  ASSERT_EQ(in.size(), out.size());
  for (const auto& [name, t] : out) {
    const Tensor dense = contiguous(t);
    ASSERT_EQ(in.at(name).spec(), t.spec()) << name;
    const auto bytes = static_cast<std::size_t>(dense.size() * info(dense.dtype()).bytes);
    EXPECT_EQ(0, std::memcmp(in.at(name).read<char>(), dense.read<char>(), bytes)) << name;
  }
}

TEST(Safetensors, NamesTheTensorAndTheValue) {
  struct Bad {
    std::string bytes, tensor, value;
  };
  const std::string four(4, '\0');
  const Bad cases[] = {
      {packed(entry("\"F33\"", "[1]", "[0,4]"), four), "\"w\"", "F33"},
      {packed(entry("\"f32\"", "[1]", "[0,4]"), four), "\"w\"", "f32"},
      {packed(entry("7", "[1]", "[0,4]"), four), "\"w\"", "7"},
      {packed(entry("\"F32\"", "[-1]", "[0,4]"), four), "\"w\"", "-1"},
      {packed(entry("\"F32\"", "[1.5]", "[0,4]"), four), "\"w\"", "1.5"},
      {packed(entry("\"F32\"", "\"1\"", "[0,4]"), four), "\"w\"", "\"1\""},
      {packed(entry("\"F32\"", "[4294967296,4294967296]", "[0,0]")), "\"w\"", "overflows"},
      {packed(entry("\"F32\"", "[4611686018427387904]", "[0,0]")), "\"w\"", "overflows"},
      {packed(entry("\"F32\"", "[0,4611686018427387904,4]", "[0,0]")), "\"w\"", "overflows"},
      {packed(entry("\"F32\"", "[99999999999999999999999]", "[0,4]"), four), "\"w\"", "bad size"},
      {packed(entry("\"F32\"", "[1]", "[0,8]"), four), "\"w\"", "[0,8]"},
      {packed(entry("\"F32\"", "[1]", "[4,0]"), four), "\"w\"", "[4,0]"},
      {packed(entry("\"F32\"", "[1]", "[-4,0]"), four), "\"w\"", "[-4,0]"},
      {packed(entry("\"F32\"", "[1]", "[0]"), four), "\"w\"", "[0]"},
      {packed(entry("\"F32\"", "[1]", "[0,18446744073709551615]"), four), "\"w\"", "18446744073709551615"},
      {packed(entry("\"F32\"", "[2]", "[0,4]"), four), "\"w\"", "8 for f32[2]"},
      {packed(entry("\"F32\"", "[1]", "[1,5]"), four + "x"), "\"w\"", "gap"},
      {packed(R"({"w":{"dtype":"F32","shape":[1]}})", four), "\"w\"", "data_offsets"},
      {packed(R"({"w":[1,2]})", four), "\"w\"", "a list"},
      {packed(R"({"w":null})", four), "\"w\"", "null"},
      {packed(entry("\"F32\"", "[1]", "[4611686018427387904,0]"), four), "\"w\"", "backwards"},
      {packed(entry("\"F4\"", "[3]", "[0,2]"), "xx"), "\"w\"", "end within a byte"},
      {packed(entry("\"F6_E2M3\"", "[4]", "[0,4]"), four), "\"w\"", "3 for F6_E2M3[4]"},
      {packed(entry("\"F4\"", "[9223372036854775807,2]", "[0,4]"), four), "\"w\"", "overflows"},
      {packed(entry("\"BOOL\"", "[4]", "[0,4]"), std::string("\1\0\1\2", 4)), "\"w\"", "is 2"},
  };
  for (const Bad& bad : cases) {
    const std::string what = complaint(bad.bytes);
    EXPECT_THAT(what, HasSubstr(bad.tensor)) << bad.bytes.substr(8);
    EXPECT_THAT(what, HasSubstr(bad.value)) << bad.bytes.substr(8);
  }
}

TEST(Safetensors, RefusesBrokenContainers) {
  std::string longer = packed("{}");
  longer[0] = 100;
  std::string longest = packed("{}");
  std::memset(longest.data(), 0xFF, 8);
  const std::string deep(10000, '[');
  EXPECT_THAT(complaint(""), HasSubstr("truncated"));
  EXPECT_THAT(complaint(longer), HasSubstr("truncated"));
  EXPECT_THAT(complaint(longest), HasSubstr("limit"));
  EXPECT_THAT(complaint(packed("hello")), HasSubstr("not JSON"));
  EXPECT_THAT(complaint(packed("{\"w\":\"\xC3\x28\"}")), HasSubstr("not JSON"));
  EXPECT_THAT(complaint(packed("[]")), HasSubstr("not an object"));
  EXPECT_THAT(complaint(packed("null")), HasSubstr("not an object"));
  EXPECT_THAT(complaint(packed(deep)), HasSubstr("nested deeper"));
  EXPECT_THAT(complaint(packed("{\"w\":" + deep)), HasSubstr("nested deeper"));
  EXPECT_THAT(complaint(packed("{}", "x")), HasSubstr("belong to none"));
  EXPECT_THAT(complaint(packed("")), HasSubstr("does not begin with {"));
  EXPECT_THAT(complaint(packed(" {}")), HasSubstr("does not begin with {"));
  EXPECT_THAT(complaint(packed("\xEF\xBB\xBF{}")), HasSubstr("does not begin with {"));
  EXPECT_THAT(complaint(packed("{}\n")), HasSubstr("does not end with } and spaces"));
  EXPECT_THAT(complaint(packed("{}x")), HasSubstr("not JSON"));
  EXPECT_THAT(complaint(packed(std::string("{}\0{\"a\":1}", 10))), HasSubstr("byte 2 is a NUL"));
  EXPECT_THAT(complaint(packed(std::string("{}   \0", 6))), HasSubstr("byte 5 is a NUL"));
  EXPECT_THAT(complaint(packed(std::string("{\"a\0b\":1}", 9))), HasSubstr("is a NUL"));
  EXPECT_THAT(complaint(packed("{\"w\":" + std::string(70, '{'))), HasSubstr("not JSON"));
  EXPECT_THAT(complaint(packed("{\"__metadata__\":" + deep)), HasSubstr("nested deeper"));
  const std::string twice = R"("w":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  EXPECT_THAT(complaint(packed("{" + twice + "," + twice + "}", "x")), HasSubstr("twice"));
  const std::string shared = R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                             R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})";
  EXPECT_THAT(complaint(packed(shared, "xyz")), HasSubstr("overlaps"));
}

TEST(Safetensors, BoundsTheWorkOfAHugeHeader) {
  std::string header = R"({"w":{"dtype":"F32","shape":[)";
  for (int i = 0; i < 1000000; ++i) header += "1,";
  EXPECT_THAT(complaint(packed(header + "1]}}")), HasSubstr("more than 64"));
}

TEST(Safetensors, AcceptsTensorsInAnyOrderOfOffsets) {
  const std::string header = R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},)"
                             R"("b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"__metadata__":{"k":"v"}}   )";
  const TensorMap in = parse_safetensors(packed(header, "xy"));
  EXPECT_EQ('y', *in.at("a").read<char>());
  EXPECT_EQ('x', *in.at("b").read<char>());
}

TEST(Safetensors, RefusesEveryTruncation) {
  const std::string whole = small_file();
  ASSERT_EQ("", complaint(whole));
  for (std::size_t n = 0; n < whole.size(); ++n) EXPECT_NE("", complaint(whole.substr(0, n))) << n;
}

// A flipped byte either gives Error(file) or another valid file; it never gives anything else.
TEST(Safetensors, SurvivesEveryByteFlip) {
  const std::string whole = small_file();
  int refused = 0, accepted = 0;
  for (std::size_t at = 0; at < whole.size(); ++at)
    for (int value = 0; value < 256; ++value) {
      std::string bytes = whole;
      bytes[at] = static_cast<char>(value);
      ++(complaint(bytes).empty() ? accepted : refused);
    }
  EXPECT_GT(refused, accepted);
}

TEST(Safetensors, SurvivesRandomDamage) {
  const std::string whole = small_file();
  for (std::uint64_t key = 0; key < 20000; ++key) {
    std::string bytes = whole;
    for (std::uint64_t i = 0; i < 1 + key % 5; ++i)
      bytes[draw(key, 2 * i) % bytes.size()] = static_cast<char>(draw(key, 2 * i + 1));
    complaint(bytes);
  }
}

TEST(Safetensors, InterpretsOnlyWhatIsAskedFor) {
  const std::string good = R"("good":{"dtype":"U8","shape":[2],"data_offsets":[0,2],"note":{"a":[1,[2]]}})";
  for (const char* other :
       {R"("__metadata__":null)", R"("__metadata__":[1,{"a":2}])",
        R"("w":{"dtype":"Q4_K","shape":[9],"data_offsets":[2,4]})",
        R"("w":{"dtype":"F32","shape":[1],"data_offsets":[4611686018427387904,0]})", R"("w":{"dtype":7,"shape":{}})",
        R"("w":{"dtype":"F32","shape":[-1],"data_offsets":[2,4]})", R"("w":3)", R"("w":[[]])", R"("w":{})"}) {
    const bool all = std::string(other).find("metadata") != std::string::npos;
    Container file(packed("{" + good + "," + other + "}", all ? "xy" : "xyzz"), "partly.safetensors");
    EXPECT_EQ('y', file.tensor("good").read<char>()[1]) << other;
    if (all) continue;
    EXPECT_TRUE(file.has("w"));
    EXPECT_THROW((void)file.tensor("w"), Error) << other;
  }
  const std::string shared = "{" + good + R"(,"w":{"dtype":"?","shape":[1],"data_offsets":[1,3]}})";
  EXPECT_THAT(complaint(packed(shared, "xyz")), HasSubstr("overlaps"));
}

// What the other types are in bits: element i of F4 is in the low half of its byte where i is even.
TEST(Safetensors, ReadsSmallFloatsAsCodes) {
  const auto codes = [](const std::string& tag, const std::string& shape, const std::string& data) {
    Container file(packed(entry('"' + tag + '"', shape, "[0," + std::to_string(data.size()) + "]"), data), "codes");
    EXPECT_TRUE(file.is_codes("w"));
    EXPECT_EQ(tag, file.tag("w"));
    const Tensor t = file.tensor("w");
    EXPECT_EQ(Dtype::u8, t.dtype());
    const std::uint8_t* p = t.read<std::uint8_t>();
    return std::vector<int>(p, p + t.size());
  };
  using ::testing::ElementsAre;
  for (const char* tag : {"F8_E4M3", "F8_E5M2", "F8_E8M0"})
    EXPECT_THAT(codes(tag, "[1,3]", "\x7F\xFF\x01"), ElementsAre(0x7F, 0xFF, 1));
  EXPECT_THAT(codes("F4", "[2,2]", "\x21\xF3"), ElementsAre(1, 2, 3, 15));
  for (const char* tag : {"F6_E2M3", "F6_E3M2"})  // 1, 2, 3, 63 from the lowest bit on
    EXPECT_THAT(codes(tag, "[4]", "\x81\x30\xFC"), ElementsAre(1, 2, 3, 63));
}

TEST(Safetensors, SaysWhatTheFileIsInstead) {
  for (const auto& [bytes, what] : {std::pair{std::string("PK\3\4\x14\0\0\0\x08\0", 10), "zip"},
                                    {std::string("version https://git-lfs.github.com/spec/v1\n"), "Git LFS pointer"},
                                    {std::string("\x93NUMPY\1\0v\0", 10), ".npy"},
                                    {std::string("\x1F\x8B\x08\0\0\0\0\0\0\3", 10), "gzip"},
                                    {std::string("{\"weight_map\": {}}"), "JSON"},
                                    {std::string("<!DOCTYPE html>"), "HTML"}})
    EXPECT_THAT(complaint(bytes), HasSubstr(what));
}

double seconds_of(const std::function<void()>& work) {
  const std::clock_t begin = std::clock();
  work();
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

// Linear in the number of tensors, in rising order of their names or not, and with names that are all in one place of
// a table of hashes or of a tree: each ten times as many as take a second where the cost is quadratic.
TEST(Safetensors, ManyTensorsTakeLittle) {
  constexpr int kMany = 100000;
  for (const bool rising : {true, false}) {
    std::string header = "{";
    for (int i = 0; i < kMany; ++i)
      header += (i ? ",\"t" : "\"t") + std::to_string(rising ? 1000000 + i : 2000000 - i) +
                R"(":{"dtype":"U8","shape":[0],"data_offsets":[0,0]})";
    const std::string bytes = packed(header + "}");
    EXPECT_LT(seconds_of([&] { EXPECT_EQ(std::size_t{kMany}, Container(bytes, "many").names().size()); }), kSecond);
  }
}

TEST(Safetensors, ReadsAStream) {
  const std::string fifo = temporary("stream.safetensors"), whole = small_file();
  ASSERT_EQ(0, mkfifo(fifo.c_str(), 0600));
  for (const auto& [bytes, says] :
       {std::pair{whole, ""}, {whole + "x", "belong to none"}, {whole.substr(0, 20), "truncated"}}) {
    std::thread writer([&, text = bytes] { write_file(fifo, text); });
    std::string what;
    try {
      EXPECT_EQ(2u, read_safetensors(fifo).size());
    } catch (const Error& e) {
      what = e.what();
    }
    writer.join();
    EXPECT_THAT(what, HasSubstr(says));
  }
}

TEST(Safetensors, RefusesWhatIsNoFile) {
  EXPECT_THROW(read_safetensors("/nosuch/file"), Error);
  EXPECT_THROW(read_safetensors(::testing::TempDir()), Error);
  EXPECT_THROW(read_safetensors("/dev/zero"), Error);
  EXPECT_THROW(write_safetensors("/nosuch/file", {}), Error);
}

}  // namespace
}  // namespace plumb
