#include "library/custom_kernel.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <set>

#include "core/device.h"
#include "core/error.h"
#ifdef PLUMB_GPU
#include "gpu/custom.h"
#endif

namespace plumb {
namespace {

constexpr std::int64_t kConstantElements = 8;  // inputs below lie in constant memory

const char* type_name(Dtype t) {
  switch (t) {
    case Dtype::boolean:
    case Dtype::u8: return "uchar";
    case Dtype::u16:
    case Dtype::bf16: return "ushort";
    case Dtype::u32: return "uint";
    case Dtype::u64: return "ulong";
    case Dtype::i8: return "char";
    case Dtype::i16: return "short";
    case Dtype::i32: return "int";
    case Dtype::i64: return "long";
    case Dtype::f16: return "half";
    case Dtype::f32: return "float";
    case Dtype::f64: return "double";
    case Dtype::c64: return "float2";
  }
  return "";
}

bool is_identifier(const std::string& s) {
  const auto letter = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
  return !s.empty() && std::isdigit(static_cast<unsigned char>(s[0])) == 0 && std::all_of(s.begin(), s.end(), letter);
}

// Positions as Metal names them. A launch is made of up to eight, each with groups of one size: first_group_ is where
// the groups of this one begin.
constexpr std::pair<const char*, const char*> kPositions[] = {
    {"thread_position_in_grid", "(uint3)(get_global_id(0), get_global_id(1), get_global_id(2))"},
    {"thread_position_in_threadgroup", "(uint3)(get_local_id(0), get_local_id(1), get_local_id(2))"},
    {"threadgroup_position_in_grid", "first_group_.xyz + (uint3)(get_group_id(0), get_group_id(1), get_group_id(2))"},
    {"threads_per_threadgroup", "(uint3)(get_local_size(0), get_local_size(1), get_local_size(2))"},
    {"threads_per_grid", "grid_.xyz"},
    {"dispatch_threads_per_threadgroup", "group_.xyz"},
    {"threadgroups_per_grid", "(grid_.xyz + group_.xyz - 1u) / group_.xyz"},
};
constexpr const char* kIndex = "thread_index_in_threadgroup";

CustomKernel::Size cut(const CustomKernel::Launch& l) {
  CustomKernel::Size group{};
  for (std::size_t d = 0; d < 3; ++d) group[d] = std::min(l.group[d], l.grid[d]);
  return group;
}

std::string extensions() {
  const Device& d = current_device();
  std::string text;
  const auto add = [&](bool has, const char* extension, const char* macro) {
    if (has) text += std::string("#pragma OPENCL EXTENSION ") + extension + " : enable\n#define " + macro + " 1\n";
  };
  add(d.fp64, "cl_khr_fp64", "PLUMB_FP64");
  add(d.fp16, "cl_khr_fp16", "PLUMB_FP16");
  add(d.int64_atomics, "cl_khr_int64_base_atomics", "PLUMB_INT64_ATOMICS");
  return text;
}

std::string constant_text(const CustomKernel::Constant& c) {
  if (const bool* b = std::get_if<bool>(&c)) return *b ? "true" : "false";
  if (const auto* i = std::get_if<std::int64_t>(&c))
    return "(" + std::to_string(*i) + (*i == static_cast<std::int32_t>(*i) ? ")" : "L)");
  return type_name(std::get<Dtype>(c));
}

std::string line_of(const std::string& text, std::size_t line) {
  std::size_t at = 0;
  for (std::size_t i = 1; i < line && at != std::string::npos; ++i) {
    at = text.find('\n', at);
    if (at != std::string::npos) ++at;
  }
  return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
}

// "line 3 of the source, 'x = y;', " where the log of a compiler names one.
std::string place_of_error(const std::string& log, const CustomKernel::Source& s) {
  for (const auto& [file, text] :
       {std::pair<const char*, const std::string&>{"source", s.body}, {"header", s.header}}) {
    const std::string mark = std::string(file) + ":";
    for (std::size_t at = log.find(mark); at != std::string::npos; at = log.find(mark, at + 1)) {
      const std::size_t number = at + mark.size();
      if (number >= log.size() || std::isdigit(static_cast<unsigned char>(log[number])) == 0) continue;
      const auto line = static_cast<std::size_t>(std::atol(log.c_str() + number));
      return "line " + std::to_string(line) + " of the " + file + ", '" + line_of(text, line) + "', ";
    }
  }
  return "";
}

}  // namespace

CustomKernel::CustomKernel(Source source) : source_(std::move(source)) {
  const auto fail = [&](const std::string& why) { throw Error(source_.name, Reason::attribute, why); };
  if (!is_identifier(source_.name)) fail("the kernel's name is no identifier");
  if (source_.outputs.empty()) fail("there is no output");
  std::set<std::string> seen;
  for (const auto* list : {&source_.inputs, &source_.outputs})
    for (const std::string& name : *list) {
      if (!is_identifier(name)) fail("'" + name + "' is no identifier");
      if (!seen.insert(name).second) fail("'" + name + "' stands twice");
    }
}

bool CustomKernel::names(const std::string& word) const {
  return source_.body.find(word) != std::string::npos || source_.header.find(word) != std::string::npos;
}

void CustomKernel::check_call(const std::vector<Tensor>& inputs, const Launch& l) const {
  const auto fail = [&](Reason r, const std::string& why) { throw Error(source_.name, r, why); };
  const auto count_of = [&](const char* what, std::size_t given, std::size_t wanted) {
    if (given != wanted)
      fail(Reason::arity, std::to_string(given) + " " + what + " for " + std::to_string(wanted) + " names");
  };
  count_of("inputs", inputs.size(), source_.inputs.size());
  count_of("outputs", l.outputs.size(), source_.outputs.size());
  for (std::size_t d = 0; d < 3; ++d) {
    if (l.grid[d] < 0 || l.grid[d] > INT32_MAX) fail(Reason::attribute, "grid holds " + std::to_string(l.grid[d]));
    if (l.group[d] < 1 || l.group[d] > INT32_MAX) fail(Reason::attribute, "group holds " + std::to_string(l.group[d]));
  }
  for (const auto& [name, value] : l.constants)
    if (!is_identifier(name)) fail(Reason::attribute, "the constant '" + name + "' is no identifier");
  const Device& device = current_device();
  const auto has = [&](Dtype t, bool value) {
    if (t == Dtype::f64 && !device.fp64) fail(Reason::unsupported, "this device has no f64");
    if (t == Dtype::f16 && value && !device.fp16) fail(Reason::unsupported, "this device has no values of f16");
  };
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) fail(Reason::arity, "input '" + source_.inputs[i] + "' is missing");
    has(inputs[i].dtype(), inputs[i].rank() == 0);
  }
  for (const Spec& s : l.outputs) {
    has(s.dtype, false);
    const int bytes = info(s.dtype).bytes;
    const bool atomic = !is_complex(s.dtype) && (bytes == 4 || (bytes == 8 && device.int64_atomics));
    if (source_.atomic_outputs && !atomic) fail(Reason::dtype, "no atomic functions of " + std::string(name(s.dtype)));
  }
}

std::string CustomKernel::text(const std::vector<Tensor>& inputs, const Launch& l) const {
  check_call(inputs, l);
  std::string parameters, locals;
  const auto add = [&](const std::string& p) { parameters += (parameters.empty() ? "" : ", ") + p; };
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::string& x = source_.inputs[i];
    const std::string type = std::string("const ") + type_name(inputs[i].dtype());
    const std::string space = inputs[i].size() < kConstantElements ? "constant " : "global ";
    if (inputs[i].rank() == 0) add(type + " " + x);
    else if (source_.ensure_row_contiguous) add(space + type + "* " + x);
    else {
      add(space + type + "* " + x + "_storage_");
      add("const long " + x + "_first_");
      locals += "  " + space + type + "* " + x + " = " + x + "_storage_ + " + x + "_first_;\n";
    }
    if (names(x + "_shape")) add("constant const int* " + x + "_shape");
    if (names(x + "_strides")) add("constant const long* " + x + "_strides");
    if (names(x + "_ndim")) add("const int " + x + "_ndim");
  }
  for (std::size_t i = 0; i < l.outputs.size(); ++i)
    add(std::string(source_.atomic_outputs ? "volatile " : "") + "global " + type_name(l.outputs[i].dtype) + "* " +
        source_.outputs[i]);
  add("const uint4 first_group_, const uint4 grid_, const uint4 group_");
  for (const auto& [name, value] : kPositions)
    if (names(name)) locals += std::string("  const uint3 ") + name + " = " + value + ";\n";
  if (names(kIndex))
    locals += std::string("  const uint ") + kIndex +
              " = (get_local_id(2) * get_local_size(1) + get_local_id(1)) * get_local_size(0) + get_local_id(0);\n";
  std::string all = extensions();
  for (const auto& [name, value] : l.constants) all += "#define " + name + " " + constant_text(value) + "\n";
  if (!source_.header.empty()) all += "#line 1 \"header\"\n" + source_.header + "\n";
  return all + "kernel void " + source_.name + "(" + parameters + ") {\n" + locals + "#line 1 \"source\"\n" +
         source_.body + "\n}\n";
}

#ifdef PLUMB_GPU
namespace {

template <class T>
std::vector<std::byte> bytes_of(const T& value) {
  std::vector<std::byte> bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

std::vector<std::byte> value_of(const Tensor& t) {
  const auto* p = t.read<std::byte>();
  return {p, p + info(t.dtype()).bytes};
}

// At least one entry: no buffer is empty.
template <class T>
gpu::BufferPtr table(const std::vector<std::int64_t>& values) {
  std::vector<T> all(values.begin(), values.end());
  if (all.empty()) all.push_back(0);
  return gpu::constants(all);
}

}  // namespace

std::vector<Tensor> CustomKernel::operator()(const std::vector<Tensor>& inputs, const Launch& l) const {
  gpu::CustomLaunch launch{source_.name, text(inputs, l), "", {}, l.grid, cut(l)};
  if (source_.math == Source::Math::relaxed) launch.options = " -cl-mad-enable -cl-no-signed-zeros";
  if (source_.math == Source::Math::fast) launch.options = " -cl-fast-relaxed-math";
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& t = inputs[i];
    const std::string& x = source_.inputs[i];
    const bool dense = source_.ensure_row_contiguous;
    if (t.rank() == 0) launch.arguments.emplace_back(value_of(t));
    else launch.arguments.emplace_back(dense ? gpu::dense(t) : gpu::input(t));
    if (t.rank() > 0 && !dense) launch.arguments.emplace_back(bytes_of(gpu::element_offset(t)));
    if (names(x + "_shape")) launch.arguments.emplace_back(table<std::int32_t>(t.shape()));
    if (names(x + "_strides"))
      launch.arguments.emplace_back(table<std::int64_t>(dense ? row_major(t.shape()) : t.strides()));
    if (names(x + "_ndim")) launch.arguments.emplace_back(bytes_of(std::int32_t{t.rank()}));
  }
  std::vector<Tensor> out = gpu::outputs(l.outputs);
  for (const Tensor& t : out) launch.arguments.emplace_back(gpu::output(t));
  for (const Tensor& t : out)
    if (l.init_value) gpu::fill_custom(t, tensor(t.dtype(), {1}, {*l.init_value}));
  try {
    if (std::find(l.grid.begin(), l.grid.end(), 0) == l.grid.end()) gpu::run_custom(launch);
    gpu::finish();
  } catch (const Error& e) {
    if (e.reason() != Reason::device || e.op() == source_.name) throw;
    throw Error(source_.name, e.reason(), place_of_error(e.detail(), source_) + e.detail());
  }
  return out;
}
#else
std::vector<Tensor> CustomKernel::operator()(const std::vector<Tensor>& inputs, const Launch& l) const {
  check_call(inputs, l);
  throw Error(source_.name, Reason::device, "this program was built without OpenCL");
}
#endif

}  // namespace plumb
