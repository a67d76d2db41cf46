#pragma once
#include "buffer.h"
#include "plan.h"

namespace edge_infer {

// Pixels interleaved row by row, `stride` bytes from one row to the next.
struct Rows {
  const uint8_t* data;
  size_t stride;
};

// Pillow's resize and a crop, computed for the crop's pixels alone, in the 8-bit fixed-point
// arithmetic of src/imaging/passes.ts: the sums are the same numbers, so the pixels are too.
//
// Used so: begin, then rows of the source's region from top to bottom, then finish.
class Resampler {
 public:
  explicit Resampler(bool useAvx2) : useAvx2_(useAvx2) {}

  void setAvx2(bool useAvx2) { useAvx2_ = useAvx2; }

  // `crop` receives plan.cropBytes() bytes, `[H, W, C]`, and outlives finish(). False when the
  // system has no memory.
  bool begin(const Plan& plan, uint8_t* crop);

  // Bytes that must be readable behind the last row of what is pushed: the kernels load whole
  // vectors, and as many of them for each position as the longest needs.
  size_t readSlack() const;

  // The next `count` rows of the region.
  void push(Rows rows, int count);

  // False when the system has no memory.
  bool finish();

  void trim();

 private:
  void resizeColumns(Rows source, uint8_t* target, size_t targetStride, int rows);
  void resizeRows(Rows source, uint8_t* target, size_t targetStride, size_t rowBytes);
  bool packColumnWeights(const Axis& axis);
  bool packRowPairs(const Axis& axis);

  bool useAvx2_;
  const Plan* plan_ = nullptr;
  uint8_t* crop_ = nullptr;
  // What lies between the passes: rows already resized or, where the vertical pass comes first,
  // the rows as they came.
  Buffer between_;
  size_t betweenStride_ = 0;
  uint8_t* betweenData_ = nullptr;
  int pushedRows_ = 0;
  Buffer afterVertical_;
  // The weights as 16-bit halves, in the order in which the vector kernels want them.
  Buffer columnWeightMemory_;
  int16_t* columnWeights_ = nullptr;
  int groups_ = 0;
  Buffer rowPairMemory_;
  int32_t* rowPairs_ = nullptr;
  int pairStride_ = 0;
};

}  // namespace edge_infer
