#include "fuzz/tables.h"

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t most);  // libFuzzer's own

namespace plumb::fuzz {

std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t most, unsigned draw,
                   std::string (*text)(unsigned)) {
  constexpr unsigned kOften = 8;
  if (draw % kOften == 0) {
    const std::string begun = text(draw / kOften);
    size = begun.copy(reinterpret_cast<char*>(data), most);
  }
  return LLVMFuzzerMutate(data, size, most);
}

}  // namespace plumb::fuzz
