// CPU routes of products with quantized matrices that indices choose.
#include "optimized/quant/product.h"

namespace plumb {

std::vector<Route> gather_qmm_cpu_routes() { return cpu::quantized_products("gather_qmm"); }

}  // namespace plumb
