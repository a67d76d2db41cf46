// The passes in plain C++: for processors without AVX2, and what the other kernels are tested by.

#include "passes.h"

namespace edge_infer {

bool ScalarPasses::beginColumns(const Axis& axis, int channels) {
  x_ = &axis;
  channels_ = channels;
  return true;
}

bool ScalarPasses::beginRows(const Axis& axis) {
  y_ = &axis;
  return true;
}

void ScalarPasses::resizeColumns(Rows source, uint8_t* target, size_t targetStride, int rows) {
  for (int row = 0; row < rows; row++) {
    const uint8_t* from = source.data + row * source.stride;
    uint8_t* to = target + row * targetStride;
    for (int i = 0; i < x_->count; i++) {
      const int32_t* weights = x_->weightsOf(i);
      const uint8_t* first = from + static_cast<size_t>(x_->offsetOf(i)) * channels_;
      for (int c = 0; c < channels_; c++) {
        uint32_t sum = kHalf;
        for (int k = 0; k < x_->sizes[i]; k++) {
          sum += first[k * channels_ + c] * static_cast<uint32_t>(weights[k]);
        }
        *to++ = toSample(sum);
      }
    }
  }
}

void ScalarPasses::resizeRow(Rows source, uint8_t* target, size_t rowBytes, int i) {
  resizeRowFrom(0, *y_, source, target, rowBytes, i);
}

void resizeRowFrom(size_t column, const Axis& axis, Rows source, uint8_t* target, size_t rowBytes,
                   int i) {
  const int32_t* weights = axis.weightsOf(i);
  const uint8_t* first = source.data + axis.offsetOf(i) * source.stride;
  for (; column < rowBytes; column++) {
    uint32_t sum = kHalf;
    for (int k = 0; k < axis.sizes[i]; k++) {
      sum += first[k * source.stride + column] * static_cast<uint32_t>(weights[k]);
    }
    target[column] = toSample(sum);
  }
}

}  // namespace edge_infer
