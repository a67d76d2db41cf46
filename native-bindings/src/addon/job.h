#pragma once
#include <node_api.h>

#include <cstddef>
#include <cstdint>

#include "../plan.h"
#include "../tensor.h"
#include "state.h"
#include "values.h"

namespace edge_infer {

// What becomes of an image, as src/imaging/native-job.ts lays it out in a call's last arguments.
struct Job {
  Plan plan;
  TensorFormat format;
  Array target;
  uint8_t* crop;

  // Writes the finished crop into the target.
  void fillTarget() const {
    const size_t pixels = static_cast<size_t>(plan.x.length) * plan.y.length;
    fillTensor(crop, pixels, plan.channels, format, target.data);
  }
};

constexpr size_t kJobArguments = 10;  // job, 3 of x, 3 of y, tensor table, target, crop

// Null when all is well, else what is wrong. A crop that the caller does not want is the state's.
const char* readJob(napi_env env, const napi_value* argv, State& state, Job& job);

}  // namespace edge_infer
