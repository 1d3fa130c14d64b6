// What a path may name: a file, a link, a FIFO, a device, a standard stream. Bytes come in through ByteSource and go
// out through Output, for every verb; whatever is wrong is Error(file) with the system's reason in words.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace plumb {

// An open file or stream, or bytes in memory. What can be read from any place (a regular file) is; a stream is kept
// as far as it was read.
class ByteSource {
 public:
  explicit ByteSource(const std::string& path);  // "-": standard input
  ByteSource(std::string bytes, std::string name);
  ~ByteSource();
  ByteSource(ByteSource&&) noexcept;
  ByteSource(const ByteSource&) = delete;

  const std::string& name() const { return name_; }
  // How many bytes there are, known to at least `enough`: a stream is read no further, since it may have no end.
  std::uint64_t reach(std::uint64_t enough);
  void read(std::uint64_t at, std::uint64_t bytes, char* to);  // which must be there

 private:
  [[noreturn]] void fail(const std::string& what) const;
  void fill(std::uint64_t enough);

  std::string name_, kept_;
  int file_ = -1;
  bool owned_ = false, stream_ = false;
  std::uint64_t size_ = 0;
};

// All the bytes of a file, or of a stream that ends within a gigabyte.
std::string read_file(const std::string& path);

// Where a result goes. A regular file is written beside its place and renamed with the mode that it had, so that
// others see the old one or the whole new one; links are followed; what is no regular file is written into.
class Output {
 public:
  explicit Output(const std::string& path);  // "-": standard output. Throws where nothing could be written
  ~Output();                                 // what was not committed leaves nothing behind
  Output(const Output&) = delete;

  bool is_standard_output() const { return descriptor_ == 1; }
  void write(std::string_view bytes);
  void commit();

 private:
  [[noreturn]] void fail(const std::string& what, int error) const;
  void resolve();
  void require_place();
  void begin();
  void put(std::string_view bytes);
  void keep_mode() const;
  void close_file();

  std::string path_, target_, part_, waiting_;
  int descriptor_ = -1;  // of a stream that was open before
  int file_ = -1;
  bool regular_ = true;
};

void write_file(const std::string& path, std::string_view bytes);

// A folder that may not be there yet: whether it could be made, and files in it; then that it is there.
void require_folder(const std::string& path);
void make_folder(const std::string& path);

}  // namespace plumb
