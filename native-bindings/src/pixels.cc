#include "pixels.h"

#include <utility>

namespace edge_infer {
namespace {

// a * b / 255, rounded, without a division.
uint8_t scaled(unsigned a, unsigned b) {
  const unsigned product = a * b + 128;
  return static_cast<uint8_t>(((product >> 8) + product) >> 8);
}

}  // namespace

void rgbToGrey(const uint8_t* rgb, uint8_t* grey, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const uint8_t* p = rgb + i * 3;
    grey[i] = static_cast<uint8_t>((p[0] * 19595u + p[1] * 38470u + p[2] * 7471u + 0x8000) >> 16);
  }
}

void invertedCmykToRgb(const uint8_t* cmyk, uint8_t* rgb, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const uint8_t* p = cmyk + i * 4;
    const unsigned light = p[3];
    for (int c = 0; c < 3; c++) {
      rgb[i * 3 + c] = static_cast<uint8_t>(light - scaled(255u - p[c], light));
    }
  }
}

void orient(const uint8_t* source, int width, int height, int channels, int orientation,
            uint8_t* target) {
  const int o = orientation;
  const bool swaps = o >= 5;
  const bool backX = o == 2 || o == 3 || o == 7 || o == 8;
  const bool backY = o == 3 || o == 4 || o == 6 || o == 7;
  const ptrdiff_t rowBytes = static_cast<ptrdiff_t>(width) * channels;
  ptrdiff_t stepColumn = backX ? -channels : channels;
  ptrdiff_t stepRow = backY ? -rowBytes : rowBytes;
  const uint8_t* origin =
      source + (backY ? (height - 1) * rowBytes : 0) + (backX ? (width - 1) * channels : 0);
  if (swaps) std::swap(stepColumn, stepRow);
  const int columns = swaps ? height : width;
  const int rows = swaps ? width : height;
  for (int row = 0; row < rows; row++) {
    const uint8_t* from = origin + row * stepRow;
    for (int column = 0; column < columns; column++, from += stepColumn) {
      for (int c = 0; c < channels; c++) *target++ = from[c];
    }
  }
}

}  // namespace edge_infer
