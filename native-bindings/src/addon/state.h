#pragma once
#include <node_api.h>

#include "../buffer.h"
#include "../jpeg.h"
#include "../kernel.h"
#include "../png.h"
#include "../resample.h"

namespace edge_infer {

// What one thread keeps between calls: its kernel and its buffers.
struct State {
  Kernel kernel = fastestKernel();
  Resampler resampler{kernel};
  JpegDecoder jpeg;
  PngDecoder png;
  Buffer crop;
  Buffer batch;

  void trim() {
    resampler.trim();
    jpeg.trim();
    png.trim();
    crop.trim();
    batch.trim();
  }
};

inline State& getState(napi_env env) {
  void* state = nullptr;
  napi_get_instance_data(env, &state);
  return *static_cast<State*>(state);
}

}  // namespace edge_infer
