// `plumb eval` as other programs use it: files, pipes and streams, words for infinities, codes, memory.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "conformance/tests/ran.h"
#include "conformance/tests/temporary.h"
#include "core/formats/format.h"
#include "core/safetensors.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// PLUMB stands for the program.
Ran shell(std::string line) {
  for (std::size_t at; (at = line.find("PLUMB ")) != std::string::npos;)
    line.replace(at, 6, "PLUMB_DEVICE=none '" PLUMB_PROGRAM "' ");
  return run_shell("{ " + line + "; } 2>&1");
}

std::string file_of(const std::string& name, const TensorMap& tensors) {
  std::string path = temporary(name);
  write_safetensors(path, tensors);
  return path;
}

std::string packed(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string bytes(8, '\0');
  std::memcpy(bytes.data(), &length, 8);
  return bytes + header + data;
}

std::vector<float> floats(const Tensor& t) { return {t.read<float>(), t.read<float>() + t.size()}; }

TEST(Eval, StandsInAPipe) {
  const std::string in = file_of("pipe_in.safetensors", {{"x", tensor(Dtype::f32, {3}, {1, 2, 4})}});
  const std::string out = temporary("pipe_out.safetensors");
  const std::string eval = "PLUMB eval reciprocal ";
  for (const std::string& line :
       {"cat " + in + " | " + eval + "--in - --out - 2>/dev/null > " + out,
        "cat " + in + " | " + eval + "--in /dev/stdin --out /dev/stdout 2>/dev/null | cat > " + out,
        eval + "--in - --out " + out + " < " + in, eval + "--in " + in + " --out /dev/fd/3 3> " + out}) {
    fs::remove(out);
    const Ran ran = shell(line);
    ASSERT_EQ(0, ran.code) << line << "\n" << ran.out;
    EXPECT_THAT(floats(read_safetensors(out).at("out")), ElementsAre(1, 0.5, 0.25)) << line;
  }
  EXPECT_THAT(shell(eval + "--in " + in + " --out - >/dev/full").out, HasSubstr("No space left on device"));
}

TEST(Eval, ARouteOfAnotherOperationMayBePreferredAndAnUnknownOneMayNot) {
  const std::string in = file_of("preferred_in.safetensors", {{"x", tensor(Dtype::f32, {1}, {2})}});
  const std::string eval = " PLUMB eval reciprocal --in " + in + " --out " + temporary("preferred_out.safetensors");
  EXPECT_EQ(0, shell("PLUMB_ROUTE=cpu.radix" + eval).code);
  EXPECT_THAT(shell("PLUMB_ROUTE=cpu.radixes" + eval).out, HasSubstr("nearest: cpu.radix"));
  EXPECT_THAT(shell("PLUMB eval reciprocals --in " + in + " --out -").out, HasSubstr("nearest: reciprocal"));
}

TEST(Eval, WritesTheActivePartTheSameEachTime) {
  const std::string in =
      file_of("points.safetensors", {{"points", tensor(Dtype::f32, {3, 3}, {1, 1, 1, 2, 2, 2, 3, 3, 3})},
                                     {"batch_indices", tensor(Dtype::i32, {3}, {0, 0, 0})},
                                     {"active_rows", tensor(Dtype::i32, {1}, {3})}});
  std::string first;
  for (const char* route : {"reference", "cpu.hash", "cpu.hash"}) {
    const std::string out = temporary("voxels.safetensors");
    const Ran ran = shell("PLUMB eval sparse_quantize --in " + in +
                          " --attrs '{\"voxel_size\":[10.0,10.0,10.0]}' --out " + out + " --route=" + route);
    ASSERT_EQ(0, ran.code) << ran.out;
    const std::string bytes = read_file(out);
    if (first.empty()) first = bytes;
    EXPECT_EQ(first, bytes) << route;
  }
  const TensorMap made = read_safetensors(temporary("voxels.safetensors"));
  for (const auto& [name, t] : made)
    if (t.rank() == 2) {
      EXPECT_EQ(1, t.dim(0)) << name;
    }
}

TEST(Eval, WhatOneOperationWritesAnotherReads) {
  const std::string in = file_of(
      "symbols.safetensors",
      {{"prob", tensor(Dtype::f32, {2, 3}, {.5, .25, .25, .1, .8, .1})}, {"symbols", tensor(Dtype::i32, {2}, {1, 0})}});
  const std::string coded = temporary("coded.safetensors"), back = temporary("back.safetensors");
  ASSERT_EQ(0, shell("PLUMB eval range_encode_from_prob --in " + in + " --out " + coded).code);
  TensorMap again = read_safetensors(coded);
  const Tensor stream = again.begin()->second.dtype() == Dtype::u8 ? again.begin()->second : again.rbegin()->second;
  write_safetensors(in, {{"prob", read_safetensors(in).at("prob")}, {"stream", stream}});
  const Ran ran = shell("PLUMB eval range_decode_from_prob --in " + in + " --out " + back);
  ASSERT_EQ(0, ran.code) << ran.out;
  const Tensor got = read_safetensors(back).begin()->second;
  EXPECT_EQ(1, got.read<std::int32_t>()[0]);
  EXPECT_EQ(0, got.read<std::int32_t>()[1]);
}

TEST(Eval, InfinitiesAreWordsWhereANumberIsWanted) {
  const std::string in = file_of("leaky.safetensors", {{"features", tensor(Dtype::f32, {1, 2}, {-1, 1})}});
  const std::string out = temporary("leaky_out.safetensors");
  const std::string eval = "PLUMB eval activation --in " + in + " --out " + out + " --attrs ";
  const Ran ran = shell(eval + "'{\"kind\":\"leaky_relu\",\"alpha\":\"inf\"}'");
  ASSERT_EQ(0, ran.code) << ran.out;
  EXPECT_THAT(floats(read_safetensors(out).at("out")), ElementsAre(-INFINITY, 1));
  EXPECT_THAT(shell(eval + "'{\"kind\":\"leaky_relu\",\"alpha\":\"big\"}'").out, HasSubstr("'alpha' must be a number"));
  const std::string folder = temporary("leaky_dump");
  for (const char* alpha : {"inf", "-inf", "nan"}) {
    const std::string c = "'activation/f32.2x3.row.uniform/kind=leaky_relu,alpha=" + std::string(alpha) + "@reference'";
    (void)shell("PLUMB repro " + c + " --dump " + folder);
    const Ran replayed = shell("PLUMB replay " + folder + " --route=reference");
    EXPECT_EQ(0, replayed.code) << alpha << "\n" << replayed.out;
    EXPECT_THAT(replayed.out, HasSubstr("2 passed, 0 failed")) << alpha;
  }
}

TEST(Eval, AnIntegerBeyondInt64IsRefusedInListsToo) {
  const std::string in = file_of("huge.safetensors", {{"a", tensor(Dtype::f32, {2, 2}, {1, 2, 3, 4})}});
  for (const char* axis : {"18446744073709551615", "[18446744073709551615]", "[0,9223372036854775808]"}) {
    const Ran ran =
        shell("PLUMB eval sum --in " + in + " --out " + temporary("o") + " --attrs '{\"axis\":" + axis + "}'");
    EXPECT_EQ(2, ran.code) << axis;
    EXPECT_THAT(ran.out, AllOf(HasSubstr("[sum] attribute: 'axis'"), HasSubstr(axis))) << axis;
  }
  const std::string coords = file_of("coords.safetensors", {{"coords", tensor(Dtype::i32, {1, 4}, {0, 0, 0, 0})},
                                                            {"active_rows", tensor(Dtype::i32, {1}, {1})}});
  for (const char* attr : {"kernel_size", "stride", "padding", "dilation"}) {
    const Ran ran = shell("PLUMB eval forward_relation --in " + coords + " --out " + temporary("o") + " --attrs '{\"" +
                          attr + "\":[3,3,18446744073709551615]}'");
    EXPECT_EQ(2, ran.code) << attr << ran.out;
    EXPECT_THAT(ran.out, HasSubstr("[forward_relation] attribute: '" + std::string(attr))) << attr;
  }
}

TEST(Eval, AttributesAreReadAsStrictlyAsFiles) {
  const std::string in = file_of("strict.safetensors", {{"a", tensor(Dtype::f32, {1}, {1})}});
  const std::string deep(100, '[');
  for (const std::string& attrs :
       {"{\"axis\":" + deep, std::string("{\"axis\":0,\"axis\":1}"), std::string("{} x"), deep}) {
    const Ran ran = shell("PLUMB eval sum --in " + in + " --out " + temporary("o") + " --attrs '" + attrs + "'");
    EXPECT_EQ(2, ran.code) << attrs;
    EXPECT_THAT(ran.out, HasSubstr("--attrs")) << attrs;
  }
}

// Codes go where bytes are wanted, and are not summed as numbers.
TEST(Eval, TakesCodesOfSmallFloats) {
  const std::string scales = R"("scales":{"dtype":"F8_E8M0","shape":[1,1],"data_offsets":[16,17]}})";
  const std::string words = R"({"w_q":{"dtype":"U32","shape":[1,4],"data_offsets":[0,16]},)";
  const std::string in = temporary("codes.safetensors"), out = temporary("codes_out.safetensors");
  write_file(in, packed(words + scales, std::string(16, '\x22') + "\x7F"));
  const Ran ran = shell("PLUMB eval dequantize --in " + in + " --attrs '{\"mode\":\"mxfp4\"}' --out " + out);
  ASSERT_EQ(0, ran.code) << ran.out;
  EXPECT_EQ(32, read_safetensors(out).at("w").size());
  write_file(in, packed(R"({"a":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}})", "12"));
  const Ran refused = shell("PLUMB eval sum --in " + in + " --out " + out);
  EXPECT_EQ(2, refused.code);
  EXPECT_THAT(refused.out, HasSubstr("[sum] dtype: 'a' is F8_E4M3"));
}

// Each of these would order more than any machine has, or more than the limit leaves.
TEST(Eval, MemoryIsAskedForBeforeItIsTaken) {
  const std::string in = file_of("small.safetensors", {{"a", tensor(Dtype::f32, {2, 8}, std::vector<double>(16, 1))}});
  const std::string coords = file_of("one.safetensors", {{"coords", tensor(Dtype::i32, {1, 4}, {0, 0, 0, 0})},
                                                         {"active_rows", tensor(Dtype::i32, {1}, {1})}});
  const std::string key = file_of("key.safetensors", {{"key", tensor(Dtype::u32, {2}, {0, 1})}});
  const std::string none = file_of("none.safetensors", {});
  struct Large {
    std::string op, in, attrs;
  };
  for (const auto& [op, file, attrs] :
       {Large{"fft", in, "{\"n\":1000000000000}"}, Large{"irfft", in, "{\"n\":4611686018427387904}"},
        Large{"random_bits", key, "{\"shape\":[65536,65535]}"},
        Large{"forward_relation", coords, "{\"kernel_size\":[1289,1289,1289]}"},
        Large{"submanifold_map", coords, "{\"kernel_size\":[1289,1289,1289]}"},
        Large{"kernel_offsets", none, "{\"kernel_size\":[1289,1289,1289]}"}}) {
    const Ran ran = shell("ulimit -v 4000000; PLUMB eval " + op + " --in " + file + " --attrs '" + attrs + "' --out " +
                          temporary("o"));
    EXPECT_EQ(2, ran.code) << op << "\n" << ran.out;
    EXPECT_THAT(ran.out, HasSubstr("[" + op + "] memory: ")) << attrs;
    EXPECT_THAT(ran.out, AnyOf(HasSubstr(" bytes"), HasSubstr("2^63"), HasSubstr("2^31"))) << op;
  }
  const Ran ran = shell("PLUMB repro 'add/f32.900000x900000.row.uniform+f32.1.row.uniform/-@reference'");
  EXPECT_EQ(2, ran.code) << ran.out;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("[add] memory: "), HasSubstr(" bytes, "))) << ran.out;
}

TEST(Eval, TakesAndGivesEveryFormat) {
  const Tensor x = tensor(Dtype::f32, {3}, {1, 2, 4});
  for (const formats::Format& f : formats::all_formats()) {
    const std::string in = temporary("in" + std::string(f.suffix)), out = temporary("out" + std::string(f.suffix));
    formats::write(in, {{{f.named ? "x" : "", x}}, {}, {}});
    const Ran ran = shell("PLUMB eval reciprocal --in " + in + " --out " + out);
    ASSERT_EQ(0, ran.code) << ran.out;
    EXPECT_THAT(floats(formats::read(out).tensors.at(f.named ? "out" : "")), ElementsAre(1, 0.5, 0.25)) << f.name;
    // What is read says itself what it is.
    const std::string piped = temporary("piped.npz");
    const Ran pipe = shell("PLUMB eval reciprocal --in - --out " + piped + " < " + in);
    ASSERT_EQ(0, pipe.code) << pipe.out;
    EXPECT_THAT(floats(formats::read(piped).tensors.at("out")), ElementsAre(1, 0.5, 0.25)) << f.name;
  }
  // Two outputs are no file of one.
  const std::string ab = file_of("ab.safetensors", {{"a", x}, {"b", x}});
  const Ran two = shell("PLUMB eval divmod --in " + ab + " --out " + temporary("two.npy"));
  EXPECT_EQ(2, two.code);
  EXPECT_THAT(two.out, HasSubstr("2 tensors in a file of one"));
  EXPECT_FALSE(fs::exists(temporary("two.npy")));
  // An ending that no format has is refused before anything is read; without one it is safetensors.
  const Ran text = shell("PLUMB eval divmod --in nowhere --out " + temporary("two.txt"));
  EXPECT_EQ(2, text.code);
  EXPECT_THAT(text.out, HasSubstr("two.txt: no format has this ending; there are .npy"));
  EXPECT_FALSE(fs::exists(temporary("two.txt")));
  ASSERT_EQ(0, shell("PLUMB eval divmod --in " + ab + " --out " + temporary("two")).code);
  EXPECT_EQ(2u, formats::read(temporary("two")).tensors.size());
}

TEST(Convert, WritesEachFormatFromEach) {
  const Tensor x = tensor(Dtype::f32, {2, 2}, {1, 2, 4, 8});
  for (const formats::Format& from : formats::all_formats())
    for (const formats::Format& to : formats::all_formats()) {
      const std::string in = temporary("from" + std::string(from.suffix)),
                        out = temporary("to" + std::string(to.suffix));
      formats::write(in, {{{from.named ? "x" : "", x}}, {}, {}});
      const Ran ran = shell("PLUMB convert " + in + " " + out);
      ASSERT_EQ(0, ran.code) << ran.out;
      EXPECT_THAT(floats(formats::read(out).tensors.at(to.named ? "x" : "")), ElementsAre(1, 2, 4, 8));
    }
}

TEST(Convert, RefusesBeforeAnythingIsThere) {
  const std::string in = temporary("bools.npy"), out = temporary("never.gguf");
  formats::write(in, {{{"", tensor(Dtype::boolean, {2}, {0, 1})}}, {}, {}});
  const Ran ran = shell("PLUMB convert " + in + " " + out);
  EXPECT_EQ(2, ran.code);
  EXPECT_THAT(ran.out, HasSubstr("gguf has no form for \"x\": bool has no type in ggml"));
  EXPECT_FALSE(fs::exists(out));
  EXPECT_THAT(shell("PLUMB convert " + in + " " + temporary("x.txt")).out, HasSubstr("there are .npy .npz .gguf"));
  EXPECT_THAT(shell("PLUMB convert " + in + " - --as=npz | cat > " + temporary("stream.npz")).out,
              HasSubstr("x: bool[2]"));
  EXPECT_EQ(formats::read(temporary("stream.npz")).tensors.at("x").spec(), (Spec{Dtype::boolean, {2}}));
}

}  // namespace
}  // namespace plumb
