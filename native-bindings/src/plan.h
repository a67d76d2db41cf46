#pragma once
#include <cstddef>
#include <cstdint>

namespace edge_infer {

// Longest side of an image and of a model's input, in pixels (the wire contract).
constexpr int kLongestSide = 4096;

// One axis of a resize and crop, in pixels: positions `to` to `to + count` of the output's `length`
// come from the source positions `spanStart` to `spanStart + spanCount`.
struct Axis {
  int spanStart = 0;
  int spanCount = 0;
  int count = 0;
  int to = 0;
  int length = 0;
  // The coefficient table of src/imaging/coefficients.ts; no weights where nothing is resized.
  const int32_t* starts = nullptr;
  const int32_t* sizes = nullptr;
  const int32_t* weights = nullptr;
  int stride = 0;

  bool isResized() const { return weights != nullptr; }
  // Of position `i`: its weights, and where it starts to read, counted from spanStart.
  const int32_t* weightsOf(int i) const { return weights + static_cast<size_t>(i) * stride; }
  int offsetOf(int i) const { return starts[i] - spanStart; }
};

// What src/imaging/geometry.ts worked out for one image.
struct Plan {
  // The source as stored in the file, before `orientation` (EXIF, 1 to 8) turns it.
  int width = 0;
  int height = 0;
  int orientation = 1;
  // Samples a pixel that are resampled: 1 grey, 3 red, green, blue.
  int channels = 3;
  Axis x;
  Axis y;
  bool verticalFirst = false;
  uint8_t canvasFill = 0;
  int canvasX = 0;
  int canvasY = 0;
  int canvasWidth = 0;
  int canvasHeight = 0;

  bool isEmpty() const { return x.count == 0 || y.count == 0; }
  size_t cropBytes() const { return static_cast<size_t>(x.length) * y.length * channels; }
};

// A rectangle of a source image, in pixels.
struct Region {
  int x;
  int y;
  int width;
  int height;
};

// The part of the source, as stored, that the plan reads.
Region sourceRegion(const Plan& plan);

// Whether every number lies within its bounds, so that the kernels can trust them.
bool isSound(const Plan& plan);

}  // namespace edge_infer
