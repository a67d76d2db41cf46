#include "unfilter.h"

#include <emmintrin.h>

#include <cstring>

// A pixel needs the one to its left, so a row is as long a chain as it has pixels: what counts is
// how few instructions wait for each other. SSE2, which every x86-64 processor has, holds a pixel.

namespace edge_infer {
namespace {

// One pixel in the lowest bytes; those behind it are the next one's and do no harm.
template <int kStep>
inline __m128i loadPixel(const uint8_t* from) {
  if (kStep > 4) return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(from));
  int32_t bits;
  std::memcpy(&bits, from, sizeof bits);
  return _mm_cvtsi32_si128(bits);
}

template <int kStep>
inline void storePixel(uint8_t* to, __m128i pixel) {
  const int64_t bits = _mm_cvtsi128_si64(pixel);
  std::memcpy(to, &bits, kStep);
}

template <int kStep>
void undoSub(uint8_t* row, size_t size) {
  __m128i left = _mm_setzero_si128();
  for (size_t i = 0; i < size; i += kStep) {
    left = _mm_add_epi8(left, loadPixel<kStep>(row + i));
    storePixel<kStep>(row + i, left);
  }
}

void undoUp(uint8_t* row, const uint8_t* above, size_t size) {
  for (size_t i = 0; i < size; i++) row[i] = static_cast<uint8_t>(row[i] + above[i]);
}

// The processor's average rounds up, PNG's down. The average of the complements, rounded up, is the
// complement of PNG's: so complements are what goes from pixel to pixel.
template <int kStep>
void undoAverage(uint8_t* row, const uint8_t* above, size_t size) {
  const __m128i ones = _mm_set1_epi8(-1);
  __m128i left = ones;
  for (size_t i = 0; i < size; i += kStep) {
    const __m128i over = _mm_xor_si128(loadPixel<kStep>(above + i), ones);
    left = _mm_sub_epi8(_mm_avg_epu8(left, over), loadPixel<kStep>(row + i));
    storePixel<kStep>(row + i, _mm_xor_si128(left, ones));
  }
}

// The neighbour nearest to left + over - corner; at equal distances left, over, corner count in this
// order. With bound = 3 * corner - left - over that is
//   the higher of left and over   where bound <= the lower
//   the lower                     where bound >= the higher (where both hold, they are equal)
//   corner                        else
template <int kStep>
void undoPaeth(uint8_t* row, const uint8_t* above, size_t size) {
  const __m128i zero = _mm_setzero_si128();
  __m128i left = zero;
  __m128i corner = zero;
  for (size_t i = 0; i < size; i += kStep) {
    // 16 bits a sample; the upper eight are zero in all that is added up bytewise.
    const __m128i over = _mm_unpacklo_epi8(loadPixel<kStep>(above + i), zero);
    const __m128i raw = _mm_unpacklo_epi8(loadPixel<kStep>(row + i), zero);
    const __m128i corners = _mm_add_epi16(corner, _mm_add_epi16(corner, corner));
    // Saturating, which it never does: compilers reorder plain sums, and would take left in too early.
    const __m128i bound = _mm_subs_epi16(_mm_sub_epi16(corners, over), left);
    const __m128i low = _mm_min_epi16(left, over);
    const __m128i high = _mm_max_epi16(left, over);
    const __m128i notHigh = _mm_cmpgt_epi16(bound, low);
    const __m128i notLow = _mm_cmpgt_epi16(high, bound);
    // Each relative to the corner, so that nothing is left to choose but one or none of them.
    const __m128i chosen = _mm_or_si128(_mm_andnot_si128(notHigh, _mm_sub_epi8(high, corner)),
                                        _mm_andnot_si128(notLow, _mm_sub_epi8(low, corner)));
    left = _mm_add_epi8(_mm_add_epi8(raw, corner), chosen);
    storePixel<kStep>(row + i, _mm_packus_epi16(left, left));
    corner = over;
  }
}

template <int kStep>
void undo(int filter, uint8_t* row, const uint8_t* above, size_t size) {
  switch (filter) {
    case 1:
      return undoSub<kStep>(row, size);
    case 2:
      return undoUp(row, above, size);
    case 3:
      return undoAverage<kStep>(row, above, size);
    case 4:
      return undoPaeth<kStep>(row, above, size);
  }
}

}  // namespace

void unfilterRow(int filter, uint8_t* row, const uint8_t* above, size_t size, int step) {
  switch (step) {
    case 1:
      return undo<1>(filter, row, above, size);
    case 2:
      return undo<2>(filter, row, above, size);
    case 3:
      return undo<3>(filter, row, above, size);
    case 4:
      return undo<4>(filter, row, above, size);
    case 6:
      return undo<6>(filter, row, above, size);
    case 8:
      return undo<8>(filter, row, above, size);
  }
}

}  // namespace edge_infer
