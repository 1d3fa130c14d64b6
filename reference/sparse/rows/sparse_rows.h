// The cases of the sparse rows.
#pragma once

#include "core/op.h"

namespace plumb::rows {

Cases merge_cases(), collate_cases(), prune_cases(), mask_cases(), crop_cases(), topk_cases();
Cases merge_bench(), collate_bench(), prune_bench(), mask_bench(), crop_bench(), topk_bench();
Rejects merge_rejects(), collate_rejects(), prune_rejects(), mask_rejects(), crop_rejects(), topk_rejects();

}  // namespace plumb::rows
