// The passes with AVX2.

#include "passes.h"

#include <immintrin.h>

#include <algorithm>
#include <cstring>

namespace edge_infer {
namespace {

// A weight is split as high * 2^kLowBits + low, both of which fit 16 bits with a sign: the
// processor multiplies and adds 16-bit numbers in pairs at twice the speed of 32-bit ones. The two
// sums joined are the exact 32-bit sum, as addition modulo 2^32 does not mind its order.
constexpr int kLowBits = 12;
constexpr int32_t kLowMask = (1 << kLowBits) - 1;

// Weights of one position are stored in groups of four: four high halves, then four low ones.
constexpr int kGroup = 4;

// Two 16-bit numbers in one of 32 bits, the first in the lower half.
int32_t joinPair(int32_t first, int32_t second) {
  return static_cast<int32_t>((static_cast<uint32_t>(first) & 0xffff) |
                              static_cast<uint32_t>(second) << 16);
}

// Joins the sums of both halves and the rounding half, and cuts the fraction off.
__attribute__((target("avx2"))) inline __m256i joinHalves(__m256i high, __m256i low) {
  const __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(high, kLowBits), low);
  return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(kHalf)), kPrecisionBits);
}

__attribute__((target("avx2"))) inline __m256i broadcastPair(const int16_t* pair) {
  int32_t bits;
  std::memcpy(&bits, pair, sizeof bits);
  return _mm256_set1_epi32(bits);
}

// Where each of the four pixels that one load holds finds its two 16-bit samples a channel:
// r0 r1 g0 g1 b0 b1 - -, and the same of the third and fourth pixel.
__attribute__((target("avx2"))) inline __m256i firstPair() {
  return _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1,
                          0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1);
}

__attribute__((target("avx2"))) inline __m256i secondPair() {
  return _mm256_setr_epi8(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1,
                          6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
}

// One pixel of two rows, one row in each half of the result: red, green, blue, nothing.
__attribute__((target("avx2"))) inline __m256i rgbOfTwoRows(const uint8_t* upper,
                                                            const uint8_t* lower,
                                                            const int16_t* weights, int groups) {
  __m256i high = _mm256_setzero_si256();
  __m256i low = _mm256_setzero_si256();
  for (int group = 0; group < groups; group++, weights += kGroup * 2) {
    const int at = group * kGroup * 3;
    const __m256i pixels = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(upper + at))),
        _mm_loadu_si128(reinterpret_cast<const __m128i*>(lower + at)), 1);
    const __m256i pair0 = _mm256_shuffle_epi8(pixels, firstPair());
    const __m256i pair1 = _mm256_shuffle_epi8(pixels, secondPair());
    high = _mm256_add_epi32(high, _mm256_madd_epi16(pair0, broadcastPair(weights)));
    high = _mm256_add_epi32(high, _mm256_madd_epi16(pair1, broadcastPair(weights + 2)));
    low = _mm256_add_epi32(low, _mm256_madd_epi16(pair0, broadcastPair(weights + 4)));
    low = _mm256_add_epi32(low, _mm256_madd_epi16(pair1, broadcastPair(weights + 6)));
  }
  return joinHalves(high, low);
}

__attribute__((target("avx2"))) inline void store12(uint8_t* to, __m128i pixels) {
  _mm_storel_epi64(reinterpret_cast<__m128i*>(to), pixels);
  const int32_t last = _mm_extract_epi32(pixels, 2);
  std::memcpy(to + 8, &last, sizeof last);
}

// `kGroups` is known for the usual scales, so that the loop above is unrolled; 0 takes `groups`.
template <int kGroups>
__attribute__((target("avx2"))) void columnsRgb(Rows source, uint8_t* target,
                                                    size_t targetStride, int rows, const Axis& axis,
                                                    const int16_t* packed, int groups) {
  const int used = kGroups == 0 ? groups : kGroups;
  const size_t perPosition = static_cast<size_t>(groups) * kGroup * 2;
  const __m256i dense = _mm256_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1,
                                         0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
  for (int row = 0; row < rows; row += 2) {
    const bool isLast = row + 1 == rows;
    const uint8_t* upper = source.data + row * source.stride;
    const uint8_t* lower = isLast ? upper : upper + source.stride;
    uint8_t* toUpper = target + row * targetStride;
    uint8_t* toLower = isLast ? toUpper : toUpper + targetStride;
    const int16_t* weights = packed;
    int i = 0;
    for (; i + 4 <= axis.count; i += 4) {
      __m256i sums[4];
      for (int k = 0; k < 4; k++, weights += perPosition) {
        const int first = axis.offsetOf(i + k) * 3;
        sums[k] = rgbOfTwoRows(upper + first, lower + first, weights, used);
      }
      const __m256i bytes = _mm256_packus_epi16(_mm256_packs_epi32(sums[0], sums[1]),
                                                _mm256_packs_epi32(sums[2], sums[3]));
      const __m256i pixels = _mm256_shuffle_epi8(bytes, dense);
      store12(toUpper + i * 3, _mm256_castsi256_si128(pixels));
      store12(toLower + i * 3, _mm256_extracti128_si256(pixels, 1));
    }
    for (; i < axis.count; i++, weights += perPosition) {
      const int first = axis.offsetOf(i) * 3;
      const __m256i sum = rgbOfTwoRows(upper + first, lower + first, weights, used);
      const __m256i words = _mm256_packs_epi32(sum, sum);
      const __m256i bytes = _mm256_packus_epi16(words, words);
      const int32_t pixelUpper = _mm256_extract_epi32(bytes, 0);
      const int32_t pixelLower = _mm256_extract_epi32(bytes, 4);
      std::memcpy(toUpper + i * 3, &pixelUpper, 3);
      std::memcpy(toLower + i * 3, &pixelLower, 3);
    }
  }
}

// Of one channel: four neighbouring samples at a time, their sums added up at the end.
__attribute__((target("avx2"))) void columnsGrey(Rows source, uint8_t* target,
                                                     size_t targetStride, int rows,
                                                     const Axis& axis, const int16_t* packed,
                                                     int groups) {
  for (int row = 0; row < rows; row++) {
    const uint8_t* from = source.data + row * source.stride;
    uint8_t* to = target + row * targetStride;
    for (int i = 0; i < axis.count; i++) {
      const uint8_t* samples = from + axis.offsetOf(i);
      const int16_t* weights = packed + static_cast<size_t>(i) * groups * kGroup * 2;
      const int used = (axis.sizes[i] + kGroup - 1) / kGroup;
      // Four samples, twice: against the high halves and against the low ones.
      __m128i sums = _mm_setzero_si128();
      for (int group = 0; group < used; group++, weights += kGroup * 2) {
        int32_t four;
        std::memcpy(&four, samples + group * kGroup, sizeof four);
        const __m128i wide = _mm_cvtepu8_epi16(_mm_set1_epi32(four));
        const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(weights));
        sums = _mm_add_epi32(sums, _mm_madd_epi16(wide, halves));
      }
      const __m128i joined = _mm_hadd_epi32(sums, sums);
      const uint32_t high = static_cast<uint32_t>(_mm_extract_epi32(joined, 0));
      const uint32_t low = static_cast<uint32_t>(_mm_extract_epi32(joined, 1));
      to[i] = toSample((high << kLowBits) + low + kHalf);
    }
  }
}

}  // namespace

bool Avx2Passes::beginColumns(const Axis& axis, int channels) {
  x_ = &axis;
  channels_ = channels;
  // The most that any position has, which is often less than the table's stride.
  const int longest = *std::max_element(axis.sizes, axis.sizes + axis.count);
  groups_ = (longest + kGroup - 1) / kGroup;
  const size_t perPosition = static_cast<size_t>(groups_) * kGroup * 2;
  uint8_t* memory = columnMemory_.take(axis.count * perPosition * sizeof(int16_t));
  if (memory == nullptr) return false;
  std::memset(memory, 0, axis.count * perPosition * sizeof(int16_t));
  columnWeights_ = reinterpret_cast<int16_t*>(memory);
  int16_t* packed = columnWeights_;
  for (int i = 0; i < axis.count; i++, packed += perPosition) {
    const int32_t* weights = axis.weightsOf(i);
    for (int k = 0; k < axis.sizes[i]; k++) {
      int16_t* group = packed + k / kGroup * kGroup * 2;
      group[k % kGroup] = static_cast<int16_t>(weights[k] >> kLowBits);
      group[kGroup + k % kGroup] = static_cast<int16_t>(weights[k] & kLowMask);
    }
  }
  return true;
}

// For each two source rows: two high halves, then two low ones.
bool Avx2Passes::beginRows(const Axis& axis) {
  y_ = &axis;
  pairStride_ = axis.stride + (axis.stride & 1);
  uint8_t* memory = rowMemory_.take(axis.count * static_cast<size_t>(pairStride_) * sizeof(int32_t));
  if (memory == nullptr) return false;
  rowPairs_ = reinterpret_cast<int32_t*>(memory);
  for (int i = 0; i < axis.count; i++) {
    const int32_t* weights = axis.weightsOf(i);
    int32_t* pairs = rowPairs_ + static_cast<size_t>(i) * pairStride_;
    for (int k = 0; k < axis.sizes[i]; k += 2) {
      const int32_t first = weights[k];
      const int32_t second = k + 1 < axis.sizes[i] ? weights[k + 1] : 0;
      pairs[k] = joinPair(first >> kLowBits, second >> kLowBits);
      pairs[k + 1] = joinPair(first & kLowMask, second & kLowMask);
    }
  }
  return true;
}

void Avx2Passes::resizeColumns(Rows source, uint8_t* target, size_t targetStride, int rows) {
  if (channels_ == 3) {
    const auto resize = groups_ == 1   ? columnsRgb<1>
                        : groups_ == 2 ? columnsRgb<2>
                        : groups_ == 3 ? columnsRgb<3>
                                       : columnsRgb<0>;
    resize(source, target, targetStride, rows, *x_, columnWeights_, groups_);
  } else {
    columnsGrey(source, target, targetStride, rows, *x_, columnWeights_, groups_);
  }
}

// 32 columns at a time, two source rows interleaved for each pair of weights.
__attribute__((target("avx2"))) void Avx2Passes::resizeRow(Rows source, uint8_t* target,
                                                           size_t rowBytes, int i) {
  const int size = y_->sizes[i];
  const uint8_t* first = source.data + y_->offsetOf(i) * source.stride;
  const int32_t* pairs = rowPairs_ + static_cast<size_t>(i) * pairStride_;
  const __m256i zero = _mm256_setzero_si256();
  size_t column = 0;
  for (; column + 32 <= rowBytes; column += 32) {
    __m256i high[4] = {zero, zero, zero, zero};
    __m256i low[4] = {zero, zero, zero, zero};
    for (int k = 0; k < size; k += 2) {
      const uint8_t* at = first + k * source.stride + column;
      // Without a second row its weight is zero: any row will do.
      const uint8_t* next = k + 1 < size ? at + source.stride : at;
      const __m256i upper = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(at));
      const __m256i lower = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(next));
      const __m256i highPair = _mm256_set1_epi32(pairs[k]);
      const __m256i lowPair = _mm256_set1_epi32(pairs[k + 1]);
      const __m256i left = _mm256_unpacklo_epi8(upper, lower);
      const __m256i right = _mm256_unpackhi_epi8(upper, lower);
      const __m256i samples[4] = {
          _mm256_unpacklo_epi8(left, zero), _mm256_unpackhi_epi8(left, zero),
          _mm256_unpacklo_epi8(right, zero), _mm256_unpackhi_epi8(right, zero)};
      for (int part = 0; part < 4; part++) {
        high[part] = _mm256_add_epi32(high[part], _mm256_madd_epi16(samples[part], highPair));
        low[part] = _mm256_add_epi32(low[part], _mm256_madd_epi16(samples[part], lowPair));
      }
    }
    const __m256i words0 =
        _mm256_packs_epi32(joinHalves(high[0], low[0]), joinHalves(high[1], low[1]));
    const __m256i words1 =
        _mm256_packs_epi32(joinHalves(high[2], low[2]), joinHalves(high[3], low[3]));
    // Unpacking and packing both work on halves of 16 bytes, so the columns end up in order.
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(target + column),
                        _mm256_packus_epi16(words0, words1));
  }
  resizeRowFrom(column, *y_, source, target, rowBytes, i);
}

size_t Avx2Passes::readSlack() const {
  return static_cast<size_t>(groups_) * kGroup * channels_ + sizeof(__m128i);
}

void Avx2Passes::trim() {
  columnMemory_.trim();
  rowMemory_.trim();
}

}  // namespace edge_infer
