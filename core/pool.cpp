#include "core/pool.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/environment.h"
#include "core/limits.h"

namespace plumb {
namespace {

thread_local bool inside = false;

int cores() { return threads_wanted().value_or(static_cast<int>(std::max(1U, std::thread::hardware_concurrency()))); }

// Workers wait for a generation to begin: a short spin with yields, then a condition variable. Every
// worker takes part in every generation, so the end of one is seen by counting.
class Pool {
 public:
  explicit Pool(int workers) {
    for (int i = 0; i < workers; ++i) threads_.emplace_back([this, i] { work(i + 1); });
  }
  ~Pool() {
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    for (std::thread& t : threads_) t.join();
  }
  int size() const { return static_cast<int>(threads_.size()) + 1; }

  // Calls part(i) for i in [0, size()), one per thread, the caller taking 0.
  void run(const std::function<void(int)>& part) {
    part_ = &part;
    left_.store(static_cast<int>(threads_.size()), std::memory_order_relaxed);
    {
      const std::lock_guard lock(mutex_);
      generation_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    guarded(0);
    while (left_.load(std::memory_order_acquire) > 0) std::this_thread::yield();
    if (const auto e = std::exchange(error_, nullptr)) std::rethrow_exception(e);
  }

 private:
  void guarded(int i) {
    inside = true;
    try {
      (*part_)(i);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
    inside = false;
  }

  void work(int i) {
    std::uint64_t seen = 0;
    for (;;) {
      for (int spin = 0; spin < 200 && generation_.load(std::memory_order_acquire) == seen; ++spin)
        std::this_thread::yield();
      if (generation_.load(std::memory_order_acquire) == seen) {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [&] { return generation_.load(std::memory_order_acquire) != seen; });
      }
      seen = generation_.load(std::memory_order_acquire);
      if (stop_) return;
      guarded(i);
      left_.fetch_sub(1, std::memory_order_release);
    }
  }

  std::vector<std::thread> threads_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::atomic<std::uint64_t> generation_{0};
  std::atomic<int> left_{0};
  std::atomic<bool> stop_{false};
  const std::function<void(int)>* part_ = nullptr;
  std::exception_ptr error_;
};

std::mutex pool_mutex;  // one parallel region at a time; callers from other threads queue here
std::unique_ptr<Pool> pool;
std::atomic<int> wanted{0};

int wanted_threads() {
  int n = wanted;
  if (n == 0) wanted.compare_exchange_strong(n, cores());
  return wanted;
}

// Runs part(i) for i in [0, parts) on the pool, or in the caller when that is all there is.
void run_parts(int parts, const std::function<void(int)>& part) {
  if (parts <= 1 || inside) {
    for (int i = 0; i < parts; ++i) part(i);
    return;
  }
  const std::lock_guard lock(pool_mutex);
  const int n = wanted_threads();
  if (!pool || pool->size() != n) pool = std::make_unique<Pool>(n - 1);
  pool->run([&](int i) {
    for (int p = i; p < parts; p += n) part(p);
  });
}

}  // namespace

int threads() { return wanted_threads(); }

void set_threads(int n) {
  if (n < 1) throw std::invalid_argument("set_threads: " + std::to_string(n) + " threads");
  wanted = n;
}

void parallel_for(std::int64_t n, std::int64_t grain, const std::function<void(std::int64_t, std::int64_t)>& f,
                  Place where) {
  if (n <= 0) return;
  constexpr int kPieces = 3;  // a first, a middle and a last one, whatever threads there are
  const int most = small_limits() ? std::max(kPieces, threads()) : inside ? 1 : threads();
  if (small_limits()) grain = 1;
  const auto parts = static_cast<int>(std::clamp<std::int64_t>(n / std::max<std::int64_t>(grain, 1), 1, most));
  if (parts == 1) return f(0, n);
  if (small_limits()) note_split(where.file, where.line);
  run_parts(parts, [&](int p) { f(n * p / parts, n * (p + 1) / parts); });
}

void parallel_each(std::int64_t n, const std::function<void(std::int64_t)>& f) {
  if (n <= 0) return;
  const auto parts = static_cast<int>(std::min<std::int64_t>(n, inside ? 1 : threads()));
  std::atomic<std::int64_t> next{0};
  run_parts(parts, [&](int) {
    for (std::int64_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < n;) f(i);
  });
}

}  // namespace plumb
