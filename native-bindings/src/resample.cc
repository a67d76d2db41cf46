#include "resample.h"

#include <cstring>

namespace edge_infer {

void Resampler::setKernel(Kernel kernel) {
  switch (kernel) {
    case Kernel::avx512Vnni:
      passes_ = &avx512Vnni_;
      break;
    case Kernel::avx2:
      passes_ = &avx2_;
      break;
    default:
      passes_ = &scalar_;
  }
}

bool Resampler::columnsComeFirst() const {
  return plan_->x.isResized() && !(plan_->verticalFirst && plan_->y.isResized());
}

bool Resampler::begin(const Plan& plan, uint8_t* crop) {
  plan_ = &plan;
  crop_ = crop;
  pushedRows_ = 0;
  const Axis& x = plan.x;
  const Axis& y = plan.y;
  if (x.count < x.length || y.count < y.length) {
    const size_t rowBytes = static_cast<size_t>(x.length) * plan.channels;
    std::memset(crop, 0, rowBytes * y.length);
    for (int row = 0; row < plan.canvasHeight; row++) {
      uint8_t* start =
          crop + (plan.canvasY + row) * rowBytes + static_cast<size_t>(plan.canvasX) * plan.channels;
      std::memset(start, plan.canvasFill, static_cast<size_t>(plan.canvasWidth) * plan.channels);
    }
  }
  if (plan.isEmpty()) return true;
  if (x.isResized() && !passes_->beginColumns(x, plan.channels)) return false;
  if (y.isResized() && !passes_->beginRows(y)) return false;

  betweenStride_ = static_cast<size_t>(columnsComeFirst() ? x.count : x.spanCount) * plan.channels;
  betweenData_ = between_.take(betweenStride_ * y.spanCount);
  return betweenData_ != nullptr;
}

void Resampler::push(Rows rows, int count) {
  uint8_t* target = betweenData_ + pushedRows_ * betweenStride_;
  if (columnsComeFirst()) {
    passes_->resizeColumns(rows, target, betweenStride_, count);
  } else {
    for (int row = 0; row < count; row++) {
      std::memcpy(target + row * betweenStride_, rows.data + row * rows.stride, betweenStride_);
    }
  }
  pushedRows_ += count;
}

bool Resampler::finish() {
  const Axis& x = plan_->x;
  const Axis& y = plan_->y;
  if (plan_->isEmpty()) return true;
  const size_t cropStride = static_cast<size_t>(x.length) * plan_->channels;
  uint8_t* target = crop_ + y.to * cropStride + static_cast<size_t>(x.to) * plan_->channels;
  const Rows between{betweenData_, betweenStride_};

  if (!y.isResized()) {
    for (int row = 0; row < y.count; row++) {
      std::memcpy(target + row * cropStride, between.data + row * betweenStride_,
                  static_cast<size_t>(x.count) * plan_->channels);
    }
  } else if (x.isResized() && !columnsComeFirst()) {
    uint8_t* resized = afterVertical_.take(betweenStride_ * y.count + readSlack());
    if (resized == nullptr) return false;
    for (int i = 0; i < y.count; i++) {
      passes_->resizeRow(between, resized + i * betweenStride_, betweenStride_, i);
    }
    passes_->resizeColumns({resized, betweenStride_}, target, cropStride, y.count);
  } else {
    for (int i = 0; i < y.count; i++) {
      passes_->resizeRow(between, target + i * cropStride, betweenStride_, i);
    }
  }
  return true;
}

void Resampler::trim() {
  scalar_.trim();
  avx2_.trim();
  avx512Vnni_.trim();
  between_.trim();
  afterVertical_.trim();
}

}  // namespace edge_infer
