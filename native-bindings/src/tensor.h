#pragma once
#include <cstddef>
#include <cstdint>

namespace edge_infer {

// A model's input as src/imaging/tensor.ts describes it.
struct TensorFormat {
  bool isNhwc;
  bool isBgr;
  int elementBytes;  // 4 float32, 2 float16, 1 uint8
  // 256 elements for each of the tensor's channels: what each byte becomes.
  const void* table;
};

// Writes a crop `[H, W, C]` of `pixelCount` pixels and 1 or 3 channels as tensor elements.
void fillTensor(const uint8_t* crop, size_t pixelCount, int channels, const TensorFormat& format,
                void* target);

}  // namespace edge_infer
