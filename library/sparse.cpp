#include "library/sparse.h"

#include <algorithm>
#include <atomic>
#include <cstring>

#include "core/gate.h"

namespace plumb::lattice {
namespace {

using List = std::vector<std::int64_t>;

constexpr Triple kOnes{1, 1, 1}, kZeros{0, 0, 0};

List list(const Triple& t) { return {t.begin(), t.end()}; }
std::string text(const Triple& t) { return to_string(Shape(t.begin(), t.end())); }

bool all_positive(const Triple& t) {
  return std::all_of(t.begin(), t.end(), [](auto v) { return v > 0; });
}

void check_spec(std::string_view op, const KernelSpec& s) {
  if (!all_positive(s.size)) throw Error(op, Reason::attribute, "kernel_size " + text(s.size));
  if (!all_positive(s.stride)) throw Error(op, Reason::attribute, "stride " + text(s.stride));
  if (!all_positive(s.dilation)) throw Error(op, Reason::attribute, "dilation " + text(s.dilation));
  if (std::any_of(s.padding.begin(), s.padding.end(), [](auto v) { return v < 0; }))
    throw Error(op, Reason::attribute, "padding " + text(s.padding));
}

void check_coords(const Tensor& coords) {
  constexpr std::string_view op = "sparse_tensor";
  if (!coords.defined()) throw Error(op, Reason::arity, "no coordinates");
  if (coords.rank() != 2) throw Error(op, Reason::rank, "coordinates " + to_string(coords.shape()));
  if (coords.dim(1) != 4) throw Error(op, Reason::shape, "coordinates " + to_string(coords.shape()));
  if (coords.dtype() != Dtype::i32 && coords.dtype() != Dtype::i64)
    throw Error(op, Reason::dtype, "coordinates are " + std::string(name(coords.dtype())) + ", not i32 or i64");
}

// Reads it: negative or beyond the rows is an error, as it is in every row of the tables.
std::int64_t active_of(const Tensor& active, std::int64_t rows) {
  const std::int64_t n = *active.read<std::int32_t>();
  if (n < 0 || n > rows)
    throw Error("sparse_tensor", Reason::domain,
                "active_rows is " + std::to_string(n) + ", but the coordinates have " + std::to_string(rows) + " rows");
  return n;
}

void check_active(const Tensor& active, std::int64_t rows) {
  if (active.shape() != Shape{1})
    throw Error("sparse_tensor", Reason::shape, "active_rows " + to_string(active.shape()));
  if (active.dtype() != Dtype::i32)
    throw Error("sparse_tensor", Reason::dtype, "active_rows are " + std::string(name(active.dtype())) + ", not i32");
  if (active.storage().written()) (void)active_of(active, rows);
}

std::uint64_t next_manager() {
  static std::atomic<std::uint64_t> n{0};
  return ++n;
}

// The same leading rows, however the arrays lie.
bool equal_rows(const Tensor& a, const Tensor& b, std::int64_t rows) {
  if (a.dtype() != b.dtype() || a.dim(0) < rows || b.dim(0) < rows) return false;
  const Tensor x = contiguous(a), y = contiguous(b);
  const auto bytes = static_cast<std::size_t>(rows * 4 * info(a.dtype()).bytes);
  return bytes == 0 || std::memcmp(x.read<std::byte>(), y.read<std::byte>(), bytes) == 0;
}

}  // namespace

bool KernelSpec::is_pointwise() const {
  return size == kOnes && stride == kOnes && dilation == kOnes && padding == kZeros;
}

bool KernelSpec::is_centered_submanifold() const {
  return stride == kOnes && padding == kZeros &&
         std::all_of(size.begin(), size.end(), [](auto k) { return k % 2 == 1; });
}

std::vector<Tensor> naturally(const Call& call) { return run(call); }

Runner on_route(std::string_view wanted) {
  if (!is_route(wanted))
    throw Error("lattice", Reason::query, "no route of any op is named '" + std::string(wanted) + "'");
  return [wanted = std::string(wanted)](const Call& call) {
    for (const Route& r : routes(*call.op))
      if (r.name == wanted) return run(call, r);
    return run(call);
  };
}

CoordinateManager::CoordinateManager() : id_(next_manager()) {}

CoordinateManager::Array CoordinateManager::identity(const Tensor& t) {
  return {&t.storage(), t.offset_bytes(), t.shape(), t.strides(), t.dtype()};
}

CoordinateKey CoordinateManager::insert(const Tensor& coords, Triple stride, const Tensor& active_rows) {
  check_coords(coords);
  if (active_rows.defined()) check_active(active_rows, coords.dim(0));
  const Identity who{identity(coords), active_rows.defined() ? std::optional(identity(active_rows)) : std::nullopt,
                     stride};
  const auto [at, added] = known_.try_emplace(who, next_);
  if (added) {
    const Tensor active =
        active_rows.defined() ? active_rows : tensor(Dtype::i32, {1}, {static_cast<double>(coords.dim(0))});
    sets_.emplace(next_++, Set{who, coords, active});
  }
  return {at->second, stride, id_};
}

bool CoordinateManager::owns(const CoordinateKey& key) const {
  if (key.manager != id_) return false;
  const auto at = sets_.find(key.id);
  return at != sets_.end() && at->second.identity.stride == key.stride;
}

const CoordinateManager::Set& CoordinateManager::set(const CoordinateKey& key) const {
  if (!owns(key))
    throw Error("sparse_tensor", Reason::query,
                "manager " + std::to_string(id_) + " owns no key " + std::to_string(key.id) + " of manager " +
                    std::to_string(key.manager));
  return sets_.at(key.id);
}

const Tensor& CoordinateManager::coords(const CoordinateKey& key) const { return set(key).coords; }
const Tensor& CoordinateManager::active_rows(const CoordinateKey& key) const { return set(key).active_rows; }

CoordinateKey CoordinateManager::output(const RelationKey& r, Triple stride, const Tensor& coords,
                                        const Tensor& active_rows) {
  const auto at = outputs_.find(r);
  if (at == outputs_.end()) {
    ++counters_.builds;
    const CoordinateKey key = insert(coords, stride, active_rows);
    if (remembers_) outputs_.emplace(r, key);
    return key;
  }
  ++counters_.hits;
  const Set& first = set(at->second);
  const std::int64_t rows = active_of(active_rows, coords.dim(0));
  if (rows != active_of(first.active_rows, first.coords.dim(0)) || !equal_rows(first.coords, coords, rows))
    throw Error(
        "sparse_tensor", Reason::domain,
        "the coordinates of key " + std::to_string(r.source.id) + " were changed after a relation was built on them");
  return at->second;
}

std::vector<Tensor> CoordinateManager::relation(const RelationKey& r, const Runner& run_call) {
  constexpr std::string_view rows[] = {"forward_relation",    "submanifold_relation", "target_relation",
                                       "transposed_relation", "generative_relation",  ""};
  const std::string_view row = rows[std::min<std::size_t>(static_cast<std::size_t>(r.kind), std::size(rows) - 1)];
  if (row.empty()) throw Error("relation", Reason::unsupported, "no row gives edges of this kind");
  const auto at = relations_.find(r);
  if (at != relations_.end()) {
    ++counters_.hits;
    return at->second;
  }
  check_spec(row, r.spec);
  Attrs attrs{{"kernel_size", list(r.spec.size)}};
  if (r.kind != Kind::submanifold) attrs.set("stride", list(r.spec.stride));
  if (r.kind != Kind::submanifold && r.kind != Kind::generative) attrs.set("padding", list(r.spec.padding));
  if (r.kind != Kind::generative) attrs.set("dilation", list(r.spec.dilation));
  std::vector<Tensor> in{coords(r.source), active_rows(r.source)};
  if (r.target) in.insert(in.end(), {coords(*r.target), active_rows(*r.target)});
  std::vector<Tensor> out = run_call(make_call(row, std::move(in), std::move(attrs)));
  ++counters_.builds;
  if (remembers_) relations_.emplace(r, out);
  return out;
}

void CoordinateManager::remember(bool on) {
  remembers_ = on;
  if (!on) clear();
}

void CoordinateManager::clear() {
  outputs_.clear();
  relations_.clear();
}

void CoordinateManager::forget(const CoordinateKey& key) {
  const Set& gone = set(key);
  std::erase_if(outputs_,
                [&](const auto& e) { return e.first.source == key || e.first.target == key || e.second == key; });
  std::erase_if(relations_, [&](const auto& e) { return e.first.source == key || e.first.target == key; });
  known_.erase(gone.identity);
  sets_.erase(key.id);
}

SparseTensor::SparseTensor(Tensor coords, Tensor feats, Metadata data)
    : coords_(std::move(coords)), feats_(std::move(feats)), data_(std::move(data)) {
  constexpr std::string_view op = "sparse_tensor";
  check_coords(coords_);
  if (!feats_.defined()) throw Error(op, Reason::arity, "no features");
  if (feats_.rank() != 2) throw Error(op, Reason::rank, "features " + to_string(feats_.shape()));
  if (feats_.dim(0) != capacity())
    throw Error(op, Reason::shape, to_string(feats_.shape()) + " features for " + std::to_string(capacity()) + " rows");
  if (data_.active_rows.defined()) check_active(data_.active_rows, capacity());
  if (data_.batch_counts) {
    std::int64_t sum = 0;
    for (const std::int64_t n : *data_.batch_counts) {
      if (n < 0) throw Error(op, Reason::attribute, "a batch of " + std::to_string(n) + " rows");
      sum += n;
    }
    if (sum != capacity())
      throw Error(op, Reason::shape, "batches of " + std::to_string(sum) + " rows for " + std::to_string(capacity()));
  }
  if (!data_.key) {
    if (!data_.manager) data_.manager = std::make_shared<CoordinateManager>();
    data_.key = data_.manager->insert(coords_, data_.stride, data_.active_rows);
  }
  if (!data_.manager) throw Error(op, Reason::query, "a key without its manager");
  const CoordinateManager& m = *data_.manager;
  const auto same = [](const Tensor& a, const Tensor& b) {
    return &a.storage() == &b.storage() && a.offset_bytes() == b.offset_bytes() && a.shape() == b.shape() &&
           a.strides() == b.strides() && a.dtype() == b.dtype();
  };
  if (!same(m.coords(*data_.key), coords_)) throw Error(op, Reason::query, "the key names other coordinates");
  if (data_.key->stride != data_.stride)
    throw Error(op, Reason::attribute,
                "stride " + text(data_.stride) + " with a key of stride " + text(data_.key->stride));
  if (data_.active_rows.defined() && !same(m.active_rows(*data_.key), data_.active_rows))
    throw Error(op, Reason::query, "the key names other active rows");
  data_.active_rows = m.active_rows(*data_.key);
}

std::int64_t SparseTensor::active_count() const { return active_of(active_rows(), capacity()); }

std::vector<std::vector<std::int64_t>> SparseTensor::batch_rows() const {
  const Wide sites = widen(coords_);
  const Integers& at = integers(sites);
  const std::int64_t active = active_count();
  std::int64_t batches = batch_counts() ? std::ssize(*batch_counts()) : 0;
  for (std::int64_t i = 0; !batch_counts() && i < active; ++i) batches = std::max(batches, at[4 * i] + 1);
  std::vector<std::vector<std::int64_t>> rows(static_cast<std::size_t>(batches));
  for (std::int64_t i = 0; i < active; ++i)
    if (at[4 * i] >= 0 && at[4 * i] < batches) rows[static_cast<std::size_t>(at[4 * i])].push_back(i);
  return rows;
}

bool SparseTensor::same_coords(const SparseTensor& o) const { return manager() == o.manager() && key() == o.key(); }

SparseTensor SparseTensor::reuse_coords_from(const SparseTensor& o) const {
  if (!same_coords(o)) throw Error("sparse_tensor", Reason::query, "coordinates of another identity");
  return {o.coords_, feats_, o.data_};
}

SparseTensor SparseTensor::with_features(Tensor feats) const { return {coords_, std::move(feats), data_}; }

SparseTensor SparseTensor::with_stride(Triple stride) const {
  return stride == data_.stride
             ? *this
             : SparseTensor(coords_, feats_, {.stride = stride, .manager = manager(), .active_rows = active_rows()});
}

SparseTensor SparseTensor::with_coords(Tensor coords, Tensor active_rows) const {
  return {std::move(coords), feats_, {.stride = stride(), .manager = manager(), .active_rows = std::move(active_rows)}};
}

SparseTensor SparseTensor::astype(Dtype t) const {
  return t == feats_.dtype() ? *this : with_features(narrow(widen_as(feats_, t), t));
}

}  // namespace plumb::lattice
