#pragma once
#include "buffer.h"
#include "kernel.h"
#include "passes.h"
#include "plan.h"

namespace edge_infer {

// Pillow's resize and a crop, computed for the crop's pixels alone.
//
// Used so: begin, then rows of the source's region from top to bottom, then finish.
class Resampler {
 public:
  explicit Resampler(Kernel kernel) { setKernel(kernel); }

  void setKernel(Kernel kernel);

  // `crop` receives plan.cropBytes() bytes, `[H, W, C]`, and outlives finish(). False when the
  // system has no memory.
  bool begin(const Plan& plan, uint8_t* crop);

  // Bytes that must be readable behind the last row of what is pushed.
  size_t readSlack() const { return passes_->readSlack(); }

  // The next `count` rows of the region.
  void push(Rows rows, int count);

  // False when the system has no memory.
  bool finish();

  void trim();

 private:
  bool columnsComeFirst() const;

  ScalarPasses scalar_;
  Avx2Passes avx2_;
  Avx512VnniPasses avx512Vnni_;
  Passes* passes_ = &scalar_;
  const Plan* plan_ = nullptr;
  uint8_t* crop_ = nullptr;
  // What lies between the passes: rows already resized or, where the vertical pass comes first,
  // the rows as they came.
  Buffer between_;
  size_t betweenStride_ = 0;
  uint8_t* betweenData_ = nullptr;
  int pushedRows_ = 0;
  Buffer afterVertical_;
};

}  // namespace edge_infer
