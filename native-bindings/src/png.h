#pragma once
#include <cstddef>
#include <cstdint>

#include <zlib.h>

#include "buffer.h"
#include "plan.h"
#include "resample.h"

namespace edge_infer {

// Entries of a full palette: one for every index that a byte can hold.
constexpr int kPaletteColours = 256;

// The rows of a PNG as src/imaging/png-chunks.ts found them in the file; not interlaced.
struct PngRows {
  const uint8_t* file;
  // Start and end in `file` of each piece that the compressed rows lie in.
  const uint32_t* pieces;
  size_t pieceCount;
  // As the format numbers them: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha.
  int colourType;
  // 8 or 16; with a palette 8.
  int bitDepth;
  // kPaletteColours RGB triples.
  const uint8_t* palette;
};

// Whether these are rows that the decoder knows, and the pieces lie in order within the file.
bool isSound(const PngRows& rows, size_t fileSize);

enum class PngOutcome {
  done,
  // Anything but exactly the rows, undamaged: what becomes of such a file is not decided here.
  unusual,
  outOfMemory
};

// Decodes with the zlib that Node exports to its addons: it is node:zlib's, so both take the same
// streams. All rows are decompressed and checked; what the plan reads is unfiltered and handed on to
// the resampler, a batch of rows at a time.
class PngDecoder {
 public:
  PngDecoder() = default;
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;
  ~PngDecoder();

  // For plans of orientation 1.
  PngOutcome decode(const PngRows& rows, const Plan& plan, Resampler& resampler);

  // Of the last image: nanoseconds spent decoding, without the resampling in between.
  int64_t decodeNs() const { return decodeNs_; }

  void trim();

 private:
  PngOutcome decodeRows(const PngRows& rows, const Plan& plan, Resampler& resampler);
  bool beginStream(const PngRows& rows);
  size_t inflateUpTo(uint8_t* target, size_t size);

  z_stream stream_ = {};
  bool hasStream_ = false;
  bool streamEnded_ = false;
  Buffer compressed_;
  Buffer lines_;
  Buffer converted_;
  Buffer rgb_;
  int64_t decodeNs_ = 0;
};

}  // namespace edge_infer
