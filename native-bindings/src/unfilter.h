#pragma once
#include <cstddef>
#include <cstdint>

namespace edge_infer {

// PNG's filter types are 0 to kLastFilter: what was subtracted from each byte is nothing, the same
// byte of the pixel to the left, of that above, their average, or Paeth's choice of neighbour.
constexpr int kLastFilter = 4;

// Bytes that must be readable behind both rows, whatever they hold: whole vectors are loaded.
constexpr size_t kUnfilterSlack = 8;

// Undoes the filter of one row in place. `above` is the unfiltered row before it, zeros for the
// first; `step` is the bytes of a pixel: 1, 2, 3, 4, 6 or 8, and `size` a multiple of it.
void unfilterRow(int filter, uint8_t* row, const uint8_t* above, size_t size, int step);

}  // namespace edge_infer
