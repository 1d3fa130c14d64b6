#include "core/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <new>
#include <optional>
#include <stdexcept>
#include <utility>

#include "core/error.h"
#include "core/number.h"

namespace plumb {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxOfStream = std::uint64_t{1} << 30;
constexpr std::uint64_t kChunk = 1 << 20;
constexpr int kMaxLinks = 40;  // as the system has it

[[noreturn]] void fail_file(const std::string& path, const std::string& what) {
  throw Error("plumb", Reason::file, path + ": " + what);
}

std::string words(int error) { return std::strerror(error); }

std::string shown(const std::string& path, const char* stream) { return path == "-" ? stream : path; }

// The number of an open descriptor of this process that a path names, as /dev/fd/1 does.
std::optional<int> descriptor_of(const fs::path& path) {
  std::error_code error;
  const fs::path folder = fs::canonical(path.parent_path(), error);
  if (error || (folder != fs::canonical("/proc/self/fd", error) && folder != "/dev/fd")) return std::nullopt;
  return number_in<int>(path.filename().string());
}

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }

// A name that no file has, in the folder of the target: only there can it be renamed into place.
std::string name_beside(const fs::path& target) {
  static std::atomic<int> number{0};
  const std::string name = ".plumb-" + std::to_string(getpid()) + "-" + std::to_string(number++) + ".part";
  return (folder_of(target) / name).string();
}

// A new file in the folder of the target; its name is set. Negative, with errno, if there can be none.
int open_beside(const fs::path& target, std::string& name) {
  int file = -1;
  do {
    name = name_beside(target);
    file = open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (file < 0 && errno == EEXIST);
  return file;
}

// 0, or why no file can be made beside the target.
int trouble_beside(const fs::path& target) {
  std::string name;
  const int file = open_beside(target, name);
  if (file < 0) return errno;
  close(file);
  unlink(name.c_str());
  return 0;
}

}  // namespace

ByteSource::ByteSource(const std::string& path) : name_(shown(path, "standard input")) {
  if (path == "-") {
    file_ = STDIN_FILENO;
  } else {
    file_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    owned_ = true;
  }
  struct stat facts {};
  if (file_ < 0 || fstat(file_, &facts) != 0) fail(words(errno));
  if (S_ISDIR(facts.st_mode)) fail("is a folder");
  // Files that the system makes up as they are read say that they are empty.
  const off_t at = S_ISREG(facts.st_mode) && facts.st_size > 0 ? lseek(file_, 0, SEEK_CUR) : -1;
  stream_ = at != 0;
  size_ = stream_ ? 0 : static_cast<std::uint64_t>(facts.st_size);
}

ByteSource::ByteSource(std::string bytes, std::string name) : name_(std::move(name)), kept_(std::move(bytes)) {
  size_ = kept_.size();
}

ByteSource::~ByteSource() {
  if (owned_ && file_ >= 0) close(file_);
}

ByteSource::ByteSource(ByteSource&& other) noexcept
    : name_(std::move(other.name_)),
      kept_(std::move(other.kept_)),
      file_(std::exchange(other.file_, -1)),
      owned_(other.owned_),
      stream_(other.stream_),
      size_(other.size_) {}

void ByteSource::fail(const std::string& what) const { fail_file(name_, what); }

void ByteSource::fill(std::uint64_t enough) {
  while (kept_.size() < enough) {
    const std::size_t had = kept_.size();
    const auto most = static_cast<std::size_t>(std::min(kChunk, enough - had));
    try {
      kept_.resize(had + most);
    } catch (const std::exception&) {
      fail("the first " + std::to_string(had) + " bytes of the stream fill the memory");
    }
    ssize_t got = 0;
    do got = ::read(file_, kept_.data() + had, most);
    while (got < 0 && errno == EINTR);
    const int error = errno;
    kept_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got < 0) fail(words(error));
    if (got == 0) return;
  }
}

std::uint64_t ByteSource::reach(std::uint64_t enough) {
  if (!stream_) return size_;
  fill(enough);
  return kept_.size();
}

void ByteSource::read(std::uint64_t at, std::uint64_t bytes, char* to) {
  if (stream_ || file_ < 0) {
    if (at + bytes > reach(at + bytes)) fail("ends early");
    std::copy_n(kept_.data() + at, bytes, to);
    return;
  }
  while (bytes > 0) {
    const ssize_t got = pread(file_, to, static_cast<std::size_t>(bytes), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(words(errno));
    if (got == 0) fail("became shorter while it was read");
    at += static_cast<std::uint64_t>(got), to += got, bytes -= static_cast<std::uint64_t>(got);
  }
}

std::string read_file(const std::string& path) {
  ByteSource source(path);
  const std::uint64_t size = source.reach(kMaxOfStream + 1);
  std::string bytes;
  try {
    bytes.resize(size);
  } catch (const std::exception&) {
    fail_file(source.name(), std::to_string(size) + " bytes do not fit into memory");
  }
  source.read(0, size, bytes.data());
  return bytes;
}

Output::Output(const std::string& path) : path_(path) {
  resolve();
  require_place();
}

Output::~Output() {
  if (file_ >= 0 && descriptor_ < 0) close(file_);
  if (!part_.empty()) unlink(part_.c_str());
}

void Output::fail(const std::string& what, int error) const {
  fail_file(shown(path_, "standard output"), what.empty() ? words(error) : what + ": " + words(error));
}

// Follows links by hand: the last one may lead to a file that is still to be made.
void Output::resolve() {
  if (path_.empty()) fail_file("\"\"", "names no file");
  if (path_ == "-") {
    descriptor_ = STDOUT_FILENO;
    return;
  }
  fs::path at = path_;
  std::error_code error;
  for (int links = 0;; ++links) {
    if (const auto descriptor = descriptor_of(at)) {
      descriptor_ = *descriptor;
      return;
    }
    if (!fs::is_symlink(fs::symlink_status(at, error))) break;
    if (links == kMaxLinks) fail("", ELOOP);
    const fs::path next = fs::read_symlink(at, error);
    if (error) fail("", error.value());
    at = next.is_absolute() ? next : folder_of(at) / next;
  }
  target_ = at.string();
}

void Output::require_place() {
  if (descriptor_ >= 0) {
    const int mode = fcntl(descriptor_, F_GETFL);
    if (mode < 0) fail("", EBADF);
    if ((mode & O_ACCMODE) == O_RDONLY) fail("is not open for writing", EBADF);
    return;
  }
  struct stat facts {};
  if (stat(target_.c_str(), &facts) != 0) {
    if (errno != ENOENT) fail("", errno);
    const int error = target_.ends_with('/') ? EISDIR : trouble_beside(target_);
    if (error) fail("no file can be made in " + folder_of(target_).string(), error);
    return;
  }
  if (S_ISDIR(facts.st_mode)) fail_file(path_, "is a folder");
  if (S_ISSOCK(facts.st_mode)) fail_file(path_, "is a socket");
  if (faccessat(AT_FDCWD, target_.c_str(), W_OK, AT_EACCESS) != 0) fail("", errno);
  regular_ = S_ISREG(facts.st_mode);
  if (!regular_) return;
  if (const int error = trouble_beside(target_)) fail("no file can be made in " + folder_of(target_).string(), error);
}

void Output::begin() {
  if (descriptor_ >= 0) {
    if (descriptor_ == STDOUT_FILENO && std::fflush(stdout) != 0) fail("", errno);
    file_ = descriptor_;
  } else if (regular_) {
    file_ = open_beside(target_, part_);
    if (file_ < 0) part_.clear(), fail("no file can be made in " + folder_of(target_).string(), errno);
  } else {
    file_ = open(target_.c_str(), O_WRONLY | O_CLOEXEC);
    if (file_ < 0) fail("", errno);
  }
}

void Output::write(std::string_view bytes) {
  if (waiting_.size() + bytes.size() < kChunk) {
    waiting_.append(bytes);
    return;
  }
  put(waiting_);
  waiting_.clear();
  put(bytes);
}

void Output::put(std::string_view bytes) {
  if (file_ < 0) begin();
  while (!bytes.empty()) {
    const ssize_t done = ::write(file_, bytes.data(), std::min<std::size_t>(bytes.size(), std::size_t{1} << 30));
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) fail("", done < 0 ? errno : EIO);
    bytes.remove_prefix(static_cast<std::size_t>(done));
  }
}

// Where there was a file: its owner, if this user may give files away, and its mode.
void Output::keep_mode() const {
  struct stat facts {};
  if (stat(target_.c_str(), &facts) != 0) return;
  [[maybe_unused]] const int given = fchown(file_, facts.st_uid, facts.st_gid);
  if (fchmod(file_, facts.st_mode & 07777) != 0) fail("its mode cannot be kept", errno);
}

void Output::close_file() {
  const int file = std::exchange(file_, -1);
  if (descriptor_ < 0 && close(file) != 0) fail("", errno);
}

void Output::commit() {
  put(waiting_);
  if (!regular_ || descriptor_ >= 0) return close_file();
  keep_mode();
  close_file();
  if (std::rename(part_.c_str(), target_.c_str()) != 0) fail("", errno);
  part_.clear();
}

void write_file(const std::string& path, std::string_view bytes) {
  Output out(path);
  out.write(bytes);
  out.commit();
}

void require_folder(const std::string& path) {
  if (path.empty()) fail_file("\"\"", "names no folder");
  std::error_code error;
  fs::path at = fs::absolute(path, error);
  while (!fs::exists(fs::symlink_status(at, error)) && at.has_relative_path()) at = at.parent_path();
  const fs::file_status status = fs::status(at, error);
  if (!fs::is_directory(status)) fail_file(path, at.string() + " is no folder");
  if (const int trouble = trouble_beside(at / "file"))
    fail_file(path, "no file can be made in " + at.string() + ": " + words(trouble));
}

void make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail_file(path, error.message());
  if (!fs::is_directory(path, error)) fail_file(path, "is no folder");
}

}  // namespace plumb
