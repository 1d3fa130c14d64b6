#include "core/formats/zip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "core/formats/bytes.h"
#include "core/strict_json.h"

namespace plumb::formats {
namespace {

constexpr std::uint32_t kLocal = 0x04034b50, kCentral = 0x02014b50, kEnd = 0x06054b50, kEnd64 = 0x06064b50,
                        kLocator64 = 0x07064b50;
constexpr std::uint64_t kEndBytes = 22, kLocator64Bytes = 20, kLocalBytes = 30, kMaxComment = 65535;
constexpr std::uint32_t kAll32 = 0xFFFFFFFF;  // the number stands in a field of 64 bits
constexpr std::uint64_t kMaxMembers = 1'000'000;
constexpr std::uint64_t kMostDeflated = 1032;  // to one byte, in RFC 1951
constexpr int kStored = 0, kDeflated = 8;

struct Directory {
  std::uint64_t members = 0, bytes = 0, begins = 0;
};

// Where the end record begins: the last place that has its mark, and a comment as long as the rest of the file.
std::uint64_t end_record(ByteSource& file, std::uint64_t size) {
  const std::uint64_t searched = std::min(size, kEndBytes + kMaxComment);
  std::string tail(static_cast<std::size_t>(searched), '\0');
  file.read(size - searched, searched, tail.data());
  for (std::uint64_t back = kEndBytes; back <= searched; ++back) {
    const char* at = tail.data() + (searched - back);
    std::uint32_t mark = 0;
    std::uint16_t comment = 0;
    std::memcpy(&mark, at, sizeof mark);
    std::memcpy(&comment, at + kEndBytes - sizeof comment, sizeof comment);
    if (mark == kEnd && comment == back - kEndBytes) return size - back;
  }
  fail(file, "is a zip archive without a directory at its end: it was cut off");
}

Directory directory64(ByteSource& file, std::uint64_t end) {
  if (end < kLocator64Bytes) fail(file, "the directory has no 64-bit part");
  Cursor locator(file, end - kLocator64Bytes);
  if (locator.number<std::uint32_t>("the locator") != kLocator64) fail(file, "the directory has no 64-bit part");
  locator.skip(4, "the locator");
  Cursor in(file, locator.number<std::uint64_t>("the locator"));
  if (in.number<std::uint32_t>("the 64-bit directory") != kEnd64)
    fail(file, "the 64-bit directory is not where it says");
  in.skip(28, "the 64-bit directory");
  Directory d;
  d.members = in.number<std::uint64_t>("the 64-bit directory");
  d.bytes = in.number<std::uint64_t>("the 64-bit directory");
  d.begins = in.number<std::uint64_t>("the 64-bit directory");
  return d;
}

Directory directory(ByteSource& file, std::uint64_t size) {
  const std::uint64_t end = end_record(file, size);
  Cursor in(file, end + 4);
  const auto disk = in.number<std::uint16_t>("the end record"), first = in.number<std::uint16_t>("the end record");
  if (disk != first) fail(file, "is one of several parts of a zip archive");
  in.skip(2, "the end record");
  Directory d;
  d.members = in.number<std::uint16_t>("the end record");
  d.bytes = in.number<std::uint32_t>("the end record");
  d.begins = in.number<std::uint32_t>("the end record");
  if (d.members == 0xFFFF || d.bytes == kAll32 || d.begins == kAll32) d = directory64(file, end);
  if (d.begins > end || d.bytes > end - d.begins) fail(file, "the directory lies outside the file");
  if (d.members > kMaxMembers) fail(file, "a directory of " + std::to_string(d.members) + " members");
  return d;
}

// The fields of 64 bits that stand for those that are all ones, in their order (APPNOTE 4.5.3).
void take_wide(Member& m, Cursor& in, std::uint64_t bytes) {
  const std::uint64_t end = in.at() + bytes;
  while (end - in.at() >= 4) {
    const auto id = in.number<std::uint16_t>("an extra field"), length = in.number<std::uint16_t>("an extra field");
    if (length > end - in.at()) fail(in.file(), "an extra field of " + excerpt(m.name) + " is longer than all of them");
    const std::uint64_t next = in.at() + length;
    if (id == 1)
      for (std::uint64_t* field : {&m.bytes, &m.packed, &m.begins})
        if (*field == kAll32 && next - in.at() >= 8) *field = in.number<std::uint64_t>("an extra field");
    in.skip(next - in.at(), "an extra field");
  }
  in.skip(end - in.at(), "the extra fields");
}

Member entry(Cursor& in) {
  if (in.number<std::uint32_t>("the directory") != kCentral)
    fail(in.file(), "an entry of the directory has another mark");
  in.skip(4, "the directory");
  const auto flags = in.number<std::uint16_t>("the directory");
  Member m;
  m.method = in.number<std::uint16_t>("the directory");
  in.skip(4, "the directory");
  m.checksum = in.number<std::uint32_t>("the directory");
  m.packed = in.number<std::uint32_t>("the directory");
  m.bytes = in.number<std::uint32_t>("the directory");
  const auto name = in.number<std::uint16_t>("the directory"), extra = in.number<std::uint16_t>("the directory"),
             comment = in.number<std::uint16_t>("the directory");
  in.skip(8, "the directory");
  m.begins = in.number<std::uint32_t>("the directory");
  m.name = in.text(name, "the name of a member");
  take_wide(m, in, extra);
  in.skip(comment, "the comment of a member");
  if ((flags & 1) != 0) fail(in.file(), "the member " + excerpt(m.name) + " is encrypted");
  return m;
}

void require_apart(const std::vector<Member>& all, std::uint64_t directory, const ByteSource& file) {
  std::vector<const Member*> placed;
  for (const Member& m : all) placed.push_back(&m);
  std::sort(placed.begin(), placed.end(), [](const Member* a, const Member* b) { return a->begins < b->begins; });
  for (std::size_t i = 0; i < placed.size(); ++i) {
    const std::uint64_t limit = i + 1 < placed.size() ? placed[i + 1]->begins : directory;
    const Member& m = *placed[i];
    if (m.begins > limit || limit - m.begins < kLocalBytes || m.packed > limit - m.begins - kLocalBytes)
      fail(file, "the member " + excerpt(m.name) + " shares bytes with what follows it");
  }
}

void inflate_all(const std::string& packed, std::string& bytes, const Member& m, const ByteSource& file) {
  z_stream stream{};
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
  constexpr std::uint64_t kMost = std::numeric_limits<uInt>::max();
  std::uint64_t in = 0, out = 0;
  int state = Z_OK;
  while (state == Z_OK) {
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data())) + in;
    stream.avail_in = static_cast<uInt>(std::min(packed.size() - in, kMost));
    stream.next_out = reinterpret_cast<Bytef*>(bytes.data()) + out;
    stream.avail_out = static_cast<uInt>(std::min(bytes.size() - out, kMost));
    const uInt had = stream.avail_in, room = stream.avail_out;
    state = inflate(&stream, Z_NO_FLUSH);
    in += had - stream.avail_in, out += room - stream.avail_out;
  }
  inflateEnd(&stream);
  if (state != Z_STREAM_END || out != bytes.size() || in != packed.size())
    fail(file, "the member " + excerpt(m.name) + " does not unpack to the " + std::to_string(m.bytes) +
                   " bytes that the directory promises");
}

std::uint32_t checksum(std::string_view bytes, std::uint32_t before = 0) {
  if (bytes.empty()) return before;  // zlib begins anew where there is no place
  return static_cast<std::uint32_t>(crc32_z(before, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace

std::vector<Member> members(ByteSource& file) {
  const std::uint64_t size = file.reach(std::uint64_t{1} << 40);
  const Directory d = directory(file, size);
  Cursor in(file, d.begins);
  std::vector<Member> all;
  for (std::uint64_t i = 0; i < d.members; ++i) all.push_back(entry(in));
  if (in.at() != d.begins + d.bytes)
    fail(file, "the directory has " + std::to_string(in.at() - d.begins) + " bytes, not " + std::to_string(d.bytes));
  require_apart(all, d.begins, file);
  return all;
}

std::string unpacked(ByteSource& file, const Member& m) {
  if (m.method != kStored && m.method != kDeflated)
    fail(file, "the member " + excerpt(m.name) + " is packed by method " + std::to_string(m.method) +
                   "; read are 0 (stored) and 8 (deflated)");
  if (m.method == kStored ? m.bytes != m.packed : m.bytes / kMostDeflated > m.packed)
    fail(file, "the member " + excerpt(m.name) + " cannot hold " + std::to_string(m.bytes) + " bytes in " +
                   std::to_string(m.packed));
  Cursor in(file, m.begins);
  if (in.number<std::uint32_t>("a member") != kLocal)
    fail(file, "the member " + excerpt(m.name) + " does not begin where the directory says");
  in.skip(22, "a member");
  const auto name = in.number<std::uint16_t>("a member"), extra = in.number<std::uint16_t>("a member");
  if (in.text(name, "the name of a member") != m.name)
    fail(file, "the member " + excerpt(m.name) + " has another name where it begins");
  in.skip(extra, "a member");
  std::string packed = in.text(m.packed, "a member");
  std::string bytes = m.method == kStored ? std::move(packed) : std::string(static_cast<std::size_t>(m.bytes), '\0');
  if (m.method == kDeflated) inflate_all(packed, bytes, m, file);
  if (checksum(bytes) != m.checksum) fail(file, "the member " + excerpt(m.name) + " has another checksum");
  return bytes;
}

namespace {

constexpr std::uint16_t kVersion = 20, kVersion64 = 45;

bool is_wide(const Member& m) { return m.bytes >= kAll32 || m.begins >= kAll32; }
std::uint32_t narrow_field(const Member& m, std::uint64_t value) {
  return is_wide(m) ? kAll32 : static_cast<std::uint32_t>(value);
}

// What both headers of a member say of it. Dates are the first of 1980: the same bytes each time.
void append_facts(std::string& bytes, const Member& m) {
  append(bytes, is_wide(m) ? kVersion64 : kVersion);
  append<std::uint16_t>(bytes, 0);
  append<std::uint16_t>(bytes, kStored);
  append<std::uint16_t>(bytes, 0);
  append<std::uint16_t>(bytes, (1 << 5) | 1);
  append(bytes, m.checksum);
  append(bytes, narrow_field(m, m.packed));
  append(bytes, narrow_field(m, m.bytes));
  append(bytes, static_cast<std::uint16_t>(m.name.size()));
}

// The extra field of 64 bits: with the place of the member in the directory, without it in front of the member.
std::string wide_fields(const Member& m, bool with_place) {
  std::string bytes;
  if (!is_wide(m)) return bytes;
  append<std::uint16_t>(bytes, 1);
  append<std::uint16_t>(bytes, with_place ? 24 : 16);
  append(bytes, m.bytes);
  append(bytes, m.packed);
  if (with_place) append(bytes, m.begins);
  return bytes;
}

std::string central(const Member& m) {
  std::string bytes;
  append(bytes, kCentral);
  append(bytes, is_wide(m) ? kVersion64 : kVersion);
  append_facts(bytes, m);
  const std::string wide = wide_fields(m, true);
  append(bytes, static_cast<std::uint16_t>(wide.size()));
  for (int i = 0; i < 3; ++i) append<std::uint16_t>(bytes, 0);  // comment, disk, attributes
  append<std::uint32_t>(bytes, 0);
  append(bytes, narrow_field(m, m.begins));
  return bytes + m.name + wide;
}

// The end record of 64 bits and what finds it.
std::string end64(std::uint64_t members, std::uint64_t length, std::uint64_t begins) {
  std::string bytes;
  append(bytes, kEnd64);
  append<std::uint64_t>(bytes, 44);  // bytes that follow
  append(bytes, kVersion64);
  append(bytes, kVersion64);
  append<std::uint64_t>(bytes, 0);  // this part of the archive, and the part with the directory
  append(bytes, members);
  append(bytes, members);
  append(bytes, length);
  append(bytes, begins);
  append(bytes, kLocator64);
  append<std::uint32_t>(bytes, 0);
  append(bytes, begins + length);
  append<std::uint32_t>(bytes, 1);
  return bytes;
}

}  // namespace

void ZipWriter::add(const std::string& name, std::string_view head, std::string_view data) {
  if (name.size() > UINT16_MAX)
    throw Error("plumb", Reason::unsupported, "a name of " + std::to_string(name.size()) + " bytes");
  const std::uint64_t bytes = head.size() + data.size();
  const Member m{name, kStored, checksum(data, checksum(head)), bytes, bytes, at_};
  std::string local;
  append(local, kLocal);
  append_facts(local, m);
  const std::string wide = wide_fields(m, false);
  append(local, static_cast<std::uint16_t>(wide.size()));
  local += name + wide;
  out_.write(local);
  out_.write(head);
  out_.write(data);
  at_ += local.size() + bytes;
  members_.push_back(m);
}

void ZipWriter::end() {
  std::string directory;
  bool wide = members_.size() >= UINT16_MAX || at_ >= kAll32;
  for (const Member& m : members_) directory += central(m), wide = wide || is_wide(m);
  out_.write(directory);
  std::string bytes = wide ? end64(members_.size(), directory.size(), at_) : "";
  append(bytes, kEnd);
  append<std::uint32_t>(bytes, 0);
  for (int i = 0; i < 2; ++i) append(bytes, wide ? std::uint16_t{0xFFFF} : static_cast<std::uint16_t>(members_.size()));
  append(bytes, wide ? kAll32 : static_cast<std::uint32_t>(directory.size()));
  append(bytes, wide ? kAll32 : static_cast<std::uint32_t>(at_));
  append<std::uint16_t>(bytes, 0);
  out_.write(bytes);
}

}  // namespace plumb::formats
