// OpenCL routes of products with quantized matrices that indices choose.
#include "gpu/quant/product.h"

namespace plumb {

std::vector<Route> gather_qmm_gpu_routes() { return gpu::quantized_products("gather_qmm"); }

}  // namespace plumb
