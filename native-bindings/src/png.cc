#include "png.h"

#include <algorithm>
#include <cstring>

#include "clock.h"
#include "pixels.h"
#include "unfilter.h"

namespace edge_infer {
namespace {

// Decompressed at a time. zlib is the slower the less room it is given: half as slow again with one
// row, 8 % with 64 KiB.
constexpr size_t kBatchBytes = 256 * 1024;

int samplesAPixel(int colourType) {
  switch (colourType) {
    case 2:
      return 3;
    case 4:
      return 2;
    case 6:
      return 4;
    default:
      return 1;
  }
}

// Makes a row's pixels into the samples that are resampled: alpha goes, and the low byte of 16 bits.
class Converter {
 public:
  Converter(const PngRows& rows, int channels)
      : isColour_(rows.colourType == 2 || rows.colourType == 6),
        channels_(channels),
        sampleBytes_(rows.bitDepth / 8),
        pixelBytes_(samplesAPixel(rows.colourType) * sampleBytes_),
        isNeeded_(rows.colourType == 3 || pixelBytes_ != channels) {
    if (rows.colourType != 3) {
      for (int i = 0; i < kPaletteColours * channels; i++) {
        table_[i] = static_cast<uint8_t>(i / channels);
      }
    } else if (channels == 1) {
      rgbToGrey(rows.palette, table_, kPaletteColours);
    } else {
      std::memcpy(table_, rows.palette, sizeof table_);
    }
  }

  int pixelBytes() const { return pixelBytes_; }

  bool isNeeded() const { return isNeeded_; }

  // `rgb` is room for a row.
  void convert(const uint8_t* from, int count, uint8_t* rgb, uint8_t* to) const {
    if (isColour_ && channels_ == 3) {
      copyRgb(from, count, to);
    } else if (isColour_) {
      copyRgb(from, count, rgb);
      rgbToGrey(rgb, to, static_cast<size_t>(count));
    } else if (channels_ == 3) {
      for (int i = 0; i < count; i++) std::memcpy(to + i * 3, table_ + from[i * pixelBytes_] * 3, 3);
    } else {
      for (int i = 0; i < count; i++) to[i] = table_[from[i * pixelBytes_]];
    }
  }

 private:
  void copyRgb(const uint8_t* from, int count, uint8_t* rgb) const {
    for (int i = 0; i < count; i++, from += pixelBytes_, rgb += 3) {
      rgb[0] = from[0];
      rgb[1] = from[sampleBytes_];
      rgb[2] = from[2 * sampleBytes_];
    }
  }

  bool isColour_;
  int channels_;
  int sampleBytes_;
  int pixelBytes_;
  bool isNeeded_;
  // What each grey value or index becomes.
  uint8_t table_[kPaletteColours * 3];
};

}  // namespace

bool isSound(const PngRows& rows, size_t fileSize) {
  switch (rows.colourType) {
    case 0:
    case 2:
    case 4:
    case 6:
      if (rows.bitDepth != 8 && rows.bitDepth != 16) return false;
      break;
    case 3:
      if (rows.bitDepth != 8) return false;
      break;
    default:
      return false;
  }
  // In order, so that all of them together are no longer than the file.
  uint32_t previousEnd = 0;
  for (size_t i = 0; i < rows.pieceCount; i++) {
    const uint32_t start = rows.pieces[2 * i];
    const uint32_t end = rows.pieces[2 * i + 1];
    if (start < previousEnd || start > end || end > fileSize) return false;
    previousEnd = end;
  }
  return true;
}

PngDecoder::~PngDecoder() {
  if (hasStream_) inflateEnd(&stream_);
}

// False when the system has no memory. The pieces are put together first: zlib is slower by a third
// where they are given one by one, as each is then unpacked from a window of what came before.
bool PngDecoder::beginStream(const PngRows& rows) {
  size_t size = 0;
  for (size_t i = 0; i < rows.pieceCount; i++) size += rows.pieces[2 * i + 1] - rows.pieces[2 * i];
  uint8_t* compressed = compressed_.take(size);
  if (compressed == nullptr) return false;
  stream_.next_in = compressed;
  stream_.avail_in = static_cast<uInt>(size);
  for (size_t i = 0; i < rows.pieceCount; i++) {
    const size_t length = rows.pieces[2 * i + 1] - rows.pieces[2 * i];
    std::memcpy(compressed, rows.file + rows.pieces[2 * i], length);
    compressed += length;
  }
  streamEnded_ = false;
  if (hasStream_) return inflateReset(&stream_) == Z_OK;
  hasStream_ = inflateInit(&stream_) == Z_OK;
  return hasStream_;
}

// The next bytes of the rows: less than `size` where the stream ends, is cut off or damaged.
size_t PngDecoder::inflateUpTo(uint8_t* target, size_t size) {
  stream_.next_out = target;
  stream_.avail_out = static_cast<uInt>(size);
  int status = Z_OK;
  while (status == Z_OK && stream_.avail_out > 0) status = inflate(&stream_, Z_NO_FLUSH);
  streamEnded_ = status == Z_STREAM_END;
  return size - stream_.avail_out;
}

PngOutcome PngDecoder::decodeRows(const PngRows& rows, const Plan& plan, Resampler& resampler) {
  const Converter converter(rows, plan.channels);
  const int pixelBytes = converter.pixelBytes();
  // A line is a filter type and a row. The line above the first is zeros, and that above a batch
  // stands before it.
  const size_t lineBytes = 1 + static_cast<size_t>(plan.width) * pixelBytes;
  const int batchRows =
      std::clamp(static_cast<int>(kBatchBytes / lineBytes), 1, plan.height);
  const size_t regionBytes = static_cast<size_t>(plan.x.spanCount) * plan.channels;
  const size_t slack = std::max(resampler.readSlack(), kUnfilterSlack);
  uint8_t* memory = lines_.take((batchRows + 1) * lineBytes + slack);
  uint8_t* converted =
      converter.isNeeded() ? converted_.take(batchRows * regionBytes + slack) : nullptr;
  uint8_t* rgb = rgb_.take(static_cast<size_t>(plan.x.spanCount) * 3);
  const bool hasMemory =
      memory != nullptr && rgb != nullptr && (converted != nullptr || !converter.isNeeded());
  if (!hasMemory || !beginStream(rows)) return PngOutcome::outOfMemory;
  std::memset(memory, 0, lineBytes);
  uint8_t* batch = memory + lineBytes;

  // Nothing right of these columns or below these rows is read.
  const size_t usedBytes = static_cast<size_t>(plan.x.spanStart + plan.x.spanCount) * pixelBytes;
  const int usedRows = plan.isEmpty() ? 0 : plan.y.spanStart + plan.y.spanCount;
  for (int row = 0; row < plan.height; row += batchRows) {
    const int count = std::min(batchRows, plan.height - row);
    if (inflateUpTo(batch, count * lineBytes) < count * lineBytes) {
      return PngOutcome::unusual;
    }
    for (int i = 0; i < count; i++) {
      uint8_t* line = batch + i * lineBytes;
      if (line[0] > kLastFilter) return PngOutcome::unusual;
      if (row + i < usedRows) {
        unfilterRow(line[0], line + 1, line + 1 - lineBytes, usedBytes, pixelBytes);
      }
    }
    const int from = std::max(0, plan.y.spanStart - row);
    const int pushed = std::min(count, usedRows - row) - from;
    if (pushed > 0) {
      const uint8_t* first =
          batch + from * lineBytes + 1 + static_cast<size_t>(plan.x.spanStart) * pixelBytes;
      Rows pixels{first, lineBytes};
      if (converter.isNeeded()) {
        for (int i = 0; i < pushed; i++) {
          converter.convert(first + i * lineBytes, plan.x.spanCount, rgb,
                            converted + i * regionBytes);
        }
        pixels = {converted, regionBytes};
      }
      const int64_t before = nowNs();
      resampler.push(pixels, pushed);
      decodeNs_ -= nowNs() - before;
    }
    std::memcpy(memory, batch + (count - 1) * lineBytes, lineBytes);
  }
  uint8_t beyond;
  const bool isWhole = inflateUpTo(&beyond, 1) == 0 && streamEnded_;
  return isWhole ? PngOutcome::done : PngOutcome::unusual;
}

PngOutcome PngDecoder::decode(const PngRows& rows, const Plan& plan, Resampler& resampler) {
  decodeNs_ = 0;
  const int64_t started = nowNs();
  const PngOutcome outcome = decodeRows(rows, plan, resampler);
  decodeNs_ += nowNs() - started;
  return outcome;
}

void PngDecoder::trim() {
  compressed_.trim();
  lines_.trim();
  converted_.trim();
  rgb_.trim();
}

}  // namespace edge_infer
