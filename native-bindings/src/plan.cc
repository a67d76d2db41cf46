#include "plan.h"

namespace edge_infer {
namespace {

// Weights of one position: an axis of 4096 shrunk to 1 with bicubic support takes 2 * 8192 + 1.
constexpr int kLongestStride = 4 * kLongestSide + 8;

bool isSide(int side) { return side >= 1 && side <= kLongestSide; }

bool isPart(int start, int count, int length) {
  return start >= 0 && count >= 0 && start <= length && count <= length - start;
}

bool isSound(const Axis& axis, int inSize) {
  if (!isSide(axis.length) || !isPart(axis.to, axis.count, axis.length)) return false;
  if (!isPart(axis.spanStart, axis.spanCount, inSize)) return false;
  if (!axis.isResized()) return axis.spanCount == axis.count;
  if (axis.stride < 1 || axis.stride > kLongestStride) return false;
  for (int i = 0; i < axis.count; i++) {
    const int start = axis.starts[i] - axis.spanStart;
    if (axis.sizes[i] < 0 || axis.sizes[i] > axis.stride) return false;
    if (!isPart(start, axis.sizes[i], axis.spanCount)) return false;
  }
  return true;
}

}  // namespace

bool isSound(const Plan& plan) {
  if (!isSide(plan.width) || !isSide(plan.height)) return false;
  if (plan.orientation < 1 || plan.orientation > 8) return false;
  if (plan.channels != 1 && plan.channels != 3) return false;
  const bool turned = plan.orientation >= 5;
  return isSound(plan.x, turned ? plan.height : plan.width) &&
         isSound(plan.y, turned ? plan.width : plan.height) &&
         isPart(plan.canvasX, plan.canvasWidth, plan.x.length) &&
         isPart(plan.canvasY, plan.canvasHeight, plan.y.length);
}

Region sourceRegion(const Plan& plan) {
  int x = plan.x.spanStart;
  int y = plan.y.spanStart;
  int width = plan.x.spanCount;
  int height = plan.y.spanCount;
  if (plan.orientation >= 5) {
    const int column = x;
    x = y;
    y = column;
    const int columns = width;
    width = height;
    height = columns;
  }
  // Orientations whose columns or rows run backwards (see src/imaging/orientation.ts).
  const int o = plan.orientation;
  if (o == 2 || o == 3 || o == 7 || o == 8) x = plan.width - x - width;
  if (o == 3 || o == 4 || o == 6 || o == 7) y = plan.height - y - height;
  return {x, y, width, height};
}

}  // namespace edge_infer
