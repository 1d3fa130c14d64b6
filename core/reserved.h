// Tensors larger than memory, of which little is ever touched: how tests reach indices beyond 2^32.
#pragma once

namespace plumb {

// While one lives, large host blocks are address space that the system backs page by page as it is touched, whatever
// memory there is. On systems that cannot, they are as usual.
class ReservedOnly {
 public:
  ReservedOnly();
  ~ReservedOnly();
  ReservedOnly(const ReservedOnly&) = delete;
  ReservedOnly& operator=(const ReservedOnly&) = delete;
};

}  // namespace plumb
