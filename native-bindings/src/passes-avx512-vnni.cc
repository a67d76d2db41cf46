// The passes with AVX-512 VNNI, whose one instruction multiplies bytes by bytes and adds four such
// products to a 32-bit sum. Weights are given to it as three digits of eight bits.

#include "passes.h"

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the intrinsics' own deliberately undefined operands for ours.
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include <algorithm>
#include <cstring>

#define EDGE_INFER_VNNI __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni")))

namespace edge_infer {
namespace {

// Samples that the instruction adds up.
constexpr int kQuad = 4;
// Rows of the horizontal pass that are worked on at once.
constexpr int kTileRows = 16;

// Positions whose samples, sixteen at most, are turned back together.
constexpr int positionsAtOnce(int channels) { return channels == 3 ? 4 : 16; }

int quadsFor(int samples) { return (samples + kQuad - 1) / kQuad; }

// Digits are signed, so each takes from the next one what it lacks. The highest holds weights below
// two, and none of a resize's exceeds one by much.
void setWeight(QuadWeights* quads, int k, int32_t weight) {
  QuadWeights& quad = quads[k / kQuad];
  const int shift = k % kQuad * 8;
  const auto put = [shift](int32_t& digits, int32_t digit) {
    digits |= static_cast<int32_t>((static_cast<uint32_t>(digit) & 0xff) << shift);
  };
  const int32_t low = static_cast<int8_t>(weight);
  const int32_t rest = (weight >> 8) + (low < 0);
  const int32_t middle = static_cast<int8_t>(rest);
  put(quad.low, low);
  put(quad.middle, middle);
  put(quad.high, (rest >> 8) + (middle < 0));
}

struct Sums {
  __m512i low;
  __m512i middle;
  __m512i high;
};

EDGE_INFER_VNNI inline Sums startSums() {
  return {_mm512_set1_epi32(kHalf), _mm512_setzero_si512(), _mm512_setzero_si512()};
}

// Adds four samples by their weights in each sum. Not by the intrinsic: GCC 12 copies every sum twice
// around it and keeps some in memory, which takes half as long again.
EDGE_INFER_VNNI inline void addQuads(Sums& sums, __m512i samples, const QuadWeights& weights) {
  asm("vpdpbusd %4, %3, %0\n\t"
      "vpdpbusd %5, %3, %1\n\t"
      "vpdpbusd %6, %3, %2"
      : "+&v"(sums.low), "+&v"(sums.middle), "+&v"(sums.high)
      : "v"(samples), "v"(_mm512_set1_epi32(weights.low)), "v"(_mm512_set1_epi32(weights.middle)),
        "v"(_mm512_set1_epi32(weights.high)));
}

// Joins the digits' sums and cuts the fraction off.
EDGE_INFER_VNNI inline __m512i joinSums(const Sums& sums) {
  const __m512i upper =
      _mm512_add_epi32(_mm512_slli_epi32(sums.middle, 8), _mm512_slli_epi32(sums.high, 16));
  return _mm512_srai_epi32(_mm512_add_epi32(sums.low, upper), kPrecisionBits);
}

// Four vectors of 32-bit numbers to one of bytes, each quarter from the same quarters of the four.
EDGE_INFER_VNNI inline __m512i packToBytes(const __m512i* four) {
  return _mm512_packus_epi16(_mm512_packs_epi32(four[0], four[1]),
                             _mm512_packs_epi32(four[2], four[3]));
}

// Within each quarter: rows and columns of 32-bit numbers change places.
EDGE_INFER_VNNI inline void transpose(__m512i (&v)[4]) {
  const __m512i upperLeft = _mm512_unpacklo_epi32(v[0], v[1]);
  const __m512i upperRight = _mm512_unpackhi_epi32(v[0], v[1]);
  const __m512i lowerLeft = _mm512_unpacklo_epi32(v[2], v[3]);
  const __m512i lowerRight = _mm512_unpackhi_epi32(v[2], v[3]);
  v[0] = _mm512_unpacklo_epi64(upperLeft, lowerLeft);
  v[1] = _mm512_unpackhi_epi64(upperLeft, lowerLeft);
  v[2] = _mm512_unpacklo_epi64(upperRight, lowerRight);
  v[3] = _mm512_unpackhi_epi64(upperRight, lowerRight);
}

EDGE_INFER_VNNI inline __m128i load16(const uint8_t* from) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
}

// Sixteen rows of the source, turned: each vector holds one channel's next four samples of every
// row. A position's sums, of all rows at once, are then sums of whole vectors.
template <int kChannels>
struct Tile {
  // A load of sixteen bytes holds the quads of three channels, or four quads of one.
  static constexpr int kVectorsAtOnce = kChannels == 3 ? 3 : 4;
  static constexpr int kQuadsAtOnce = kVectorsAtOnce / kChannels;

  const uint8_t* rows[kTileRows];
  __m512i* vectors;
  int made = 0;   // quads that have been turned
  int available;  // quads that there are

  // Turns what is missing of the first `quads`: just before they are used, so that a long row's are
  // still in the cache.
  EDGE_INFER_VNNI void makeUpTo(int quads) {
    const __m512i planes = _mm512_broadcast_i32x4(
        _mm_setr_epi8(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, -1, -1, -1, -1));
    const int wanted = std::min(quads, available);
    for (; made < wanted; made += kQuadsAtOnce) {
      const size_t at = static_cast<size_t>(made) * kQuad * kChannels;
      __m512i four[4];
      for (int i = 0; i < 4; i++) {
        __m512i bytes = _mm512_castsi128_si512(load16(rows[i] + at));
        bytes = _mm512_inserti32x4(bytes, load16(rows[i + 4] + at), 1);
        bytes = _mm512_inserti32x4(bytes, load16(rows[i + 8] + at), 2);
        bytes = _mm512_inserti32x4(bytes, load16(rows[i + 12] + at), 3);
        four[i] = kChannels == 3 ? _mm512_shuffle_epi8(bytes, planes) : bytes;
      }
      transpose(four);
      for (int i = 0; i < kVectorsAtOnce; i++) vectors[made * kChannels + i] = four[i];
    }
  }
};

// One position of all rows: a vector a channel.
template <int kChannels>
EDGE_INFER_VNNI inline void sumPosition(const __m512i* vectors, const QuadWeights* weights,
                                        int quads, __m512i* target) {
  // Not an array: the compiler would keep it in memory.
  Sums first = startSums(), second = startSums(), third = startSums();
  for (int quad = 0; quad < quads; quad++, vectors += kChannels) {
    addQuads(first, vectors[0], weights[quad]);
    if (kChannels == 3) {
      addQuads(second, vectors[1], weights[quad]);
      addQuads(third, vectors[2], weights[quad]);
    }
  }
  target[0] = joinSums(first);
  if (kChannels == 3) {
    target[1] = joinSums(second);
    target[2] = joinSums(third);
  }
}

// Turns the sums of sixteen samples, or of three channels of four, back into bytes of each row, of
// which `mask` are stored.
EDGE_INFER_VNNI inline void storeSums(const __m512i (&sums)[16], uint8_t* target, size_t stride,
                                      int rows, __mmask16 mask) {
  const __m512i bytesOfRows = _mm512_broadcast_i32x4(
      _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15));
  __m512i four[4];
  for (int i = 0; i < 4; i++) {
    four[i] = _mm512_shuffle_epi8(packToBytes(sums + i * 4), bytesOfRows);
  }
  transpose(four);
  for (int i = 0; i < 4; i++) {
    const __m128i quarters[4] = {
        _mm512_castsi512_si128(four[i]), _mm512_extracti32x4_epi32(four[i], 1),
        _mm512_extracti32x4_epi32(four[i], 2), _mm512_extracti32x4_epi32(four[i], 3)};
    for (int quarter = 0; quarter < 4; quarter++) {
      const int row = quarter * 4 + i;
      if (row < rows) _mm_mask_storeu_epi8(target + row * stride, mask, quarters[quarter]);
    }
  }
}

struct ColumnWeights {
  const int32_t* firstQuads;
  const QuadWeights* weights;
  int quads;
};

// `count` positions of up to kTileRows rows.
template <int kChannels>
EDGE_INFER_VNNI void resizeTile(Tile<kChannels>& tile, const ColumnWeights& packed, int count,
                                uint8_t* target, size_t targetStride, int rows) {
  constexpr int kAtOnce = positionsAtOnce(kChannels);
  const QuadWeights* weights = packed.weights;
  for (int i = 0; i < count; i += kAtOnce) {
    const int32_t* firstQuads = packed.firstQuads + i;
    tile.makeUpTo(*std::max_element(firstQuads, firstQuads + kAtOnce) + packed.quads);
    __m512i sums[16];
    for (int k = 0; k < kAtOnce; k++, weights += packed.quads) {
      sumPosition<kChannels>(tile.vectors + static_cast<size_t>(firstQuads[k]) * kChannels, weights,
                             packed.quads, sums + k * kChannels);
    }
    for (int k = kAtOnce * kChannels; k < 16; k++) sums[k] = _mm512_setzero_si512();
    const int samples = std::min(kAtOnce, count - i) * kChannels;
    storeSums(sums, target + static_cast<size_t>(i) * kChannels, targetStride, rows,
              static_cast<__mmask16>((1u << samples) - 1));
  }
}

template <int kChannels>
void resizeTiles(Rows source, uint8_t* target, size_t targetStride, int rows, const Axis& axis,
                 const ColumnWeights& packed, __m512i* vectors) {
  for (int row = 0; row < rows; row += kTileRows) {
    Tile<kChannels> tile{};
    tile.vectors = vectors;
    tile.available = quadsFor(axis.spanCount);
    for (int i = 0; i < kTileRows; i++) {
      // Where rows are missing the last one stands in.
      tile.rows[i] = source.data + std::min(row + i, rows - 1) * source.stride;
    }
    resizeTile(tile, packed, axis.count, target + row * targetStride, targetStride, rows - row);
  }
}

constexpr size_t kAlignment = sizeof(__m512i);

uint8_t* align(uint8_t* memory) {
  return memory + (-reinterpret_cast<uintptr_t>(memory) & (kAlignment - 1));
}

}  // namespace

// A position reads whole quads of the span, from the one that holds its first sample on.
bool Avx512VnniPasses::beginColumns(const Axis& axis, int channels) {
  x_ = &axis;
  channels_ = channels;
  columnQuads_ = 1;
  for (int i = 0; i < axis.count; i++) {
    columnQuads_ = std::max(columnQuads_, quadsFor(axis.offsetOf(i) % kQuad + axis.sizes[i]));
  }
  const int atOnce = positionsAtOnce(channels);
  const size_t count = static_cast<size_t>(axis.count + atOnce - 1) / atOnce * atOnce;
  const size_t weightBytes = count * columnQuads_ * sizeof(QuadWeights);
  const size_t bytes = weightBytes + count * sizeof(int32_t);
  uint8_t* memory = columnMemory_.take(bytes);
  // The span's quads, three that the last load may make beyond, and those beyond the span that
  // the last positions read, by weights of zero.
  const size_t vectors = static_cast<size_t>(quadsFor(axis.spanCount) + 3 + columnQuads_) * channels;
  uint8_t* tile = tileMemory_.take(vectors * sizeof(__m512i) + kAlignment);
  if (memory == nullptr || tile == nullptr) return false;
  std::memset(memory, 0, bytes);
  columnWeights_ = reinterpret_cast<QuadWeights*>(memory);
  firstQuads_ = reinterpret_cast<int32_t*>(memory + weightBytes);
  tile_ = align(tile);
  for (int i = 0; i < axis.count; i++) {
    firstQuads_[i] = axis.offsetOf(i) / kQuad;
    QuadWeights* quads = columnWeights_ + static_cast<size_t>(i) * columnQuads_;
    const int skipped = axis.offsetOf(i) % kQuad;
    for (int k = 0; k < axis.sizes[i]; k++) setWeight(quads, skipped + k, axis.weightsOf(i)[k]);
  }
  return true;
}

bool Avx512VnniPasses::beginRows(const Axis& axis) {
  y_ = &axis;
  rowQuads_ = quadsFor(axis.stride);
  const size_t bytes = static_cast<size_t>(axis.count) * rowQuads_ * sizeof(QuadWeights);
  uint8_t* memory = rowMemory_.take(bytes);
  if (memory == nullptr) return false;
  std::memset(memory, 0, bytes);
  rowWeights_ = reinterpret_cast<QuadWeights*>(memory);
  for (int i = 0; i < axis.count; i++) {
    QuadWeights* quads = rowWeights_ + static_cast<size_t>(i) * rowQuads_;
    for (int k = 0; k < axis.sizes[i]; k++) setWeight(quads, k, axis.weightsOf(i)[k]);
  }
  return true;
}

void Avx512VnniPasses::resizeColumns(Rows source, uint8_t* target, size_t targetStride, int rows) {
  const auto resize = channels_ == 3 ? resizeTiles<3> : resizeTiles<1>;
  resize(source, target, targetStride, rows, *x_, {firstQuads_, columnWeights_, columnQuads_},
         reinterpret_cast<__m512i*>(tile_));
}

// 64 columns at a time, four source rows interleaved into quads.
EDGE_INFER_VNNI void Avx512VnniPasses::resizeRow(Rows source, uint8_t* target, size_t rowBytes,
                                                 int i) {
  const int size = y_->sizes[i];
  const uint8_t* first = source.data + y_->offsetOf(i) * source.stride;
  const QuadWeights* weights = rowWeights_ + static_cast<size_t>(i) * rowQuads_;
  for (size_t column = 0; column < rowBytes; column += sizeof(__m512i)) {
    const size_t rest = std::min(rowBytes - column, sizeof(__m512i));
    const __mmask64 mask = ~__mmask64{0} >> (sizeof(__m512i) - rest);
    Sums sums[4];
    for (Sums& sum : sums) sum = startSums();
    for (int k = 0; k < size; k += kQuad) {
      __m512i rows[kQuad];
      for (int j = 0; j < kQuad; j++) {
        // Beyond the last row the weights are zero: any row will do.
        const size_t row = static_cast<size_t>(std::min(k + j, size - 1));
        rows[j] = _mm512_maskz_loadu_epi8(mask, first + row * source.stride + column);
      }
      const __m512i upperLeft = _mm512_unpacklo_epi8(rows[0], rows[1]);
      const __m512i upperRight = _mm512_unpackhi_epi8(rows[0], rows[1]);
      const __m512i lowerLeft = _mm512_unpacklo_epi8(rows[2], rows[3]);
      const __m512i lowerRight = _mm512_unpackhi_epi8(rows[2], rows[3]);
      addQuads(sums[0], _mm512_unpacklo_epi16(upperLeft, lowerLeft), weights[k / kQuad]);
      addQuads(sums[1], _mm512_unpackhi_epi16(upperLeft, lowerLeft), weights[k / kQuad]);
      addQuads(sums[2], _mm512_unpacklo_epi16(upperRight, lowerRight), weights[k / kQuad]);
      addQuads(sums[3], _mm512_unpackhi_epi16(upperRight, lowerRight), weights[k / kQuad]);
    }
    // Unpacking and packing both work on quarters of 16 bytes, so the columns end up in order.
    const __m512i joined[4] = {joinSums(sums[0]), joinSums(sums[1]), joinSums(sums[2]),
                               joinSums(sums[3])};
    _mm512_mask_storeu_epi8(target + column, mask, packToBytes(joined));
  }
}

// The last load may start at the span's last sample.
size_t Avx512VnniPasses::readSlack() const { return sizeof(__m128i); }

void Avx512VnniPasses::trim() {
  columnMemory_.trim();
  tileMemory_.trim();
  rowMemory_.trim();
}

}  // namespace edge_infer
