#include "jpeg.h"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <iterator>

#include <jpeglib.h>
#include <jerror.h>

#include "clock.h"
#include "pixels.h"

namespace edge_infer {
namespace {

// Smooth upsampling mixes neighbours, and at the edge of what libjpeg is asked for there are none:
// so many more columns on either side make the wanted ones equal to those of a whole image.
constexpr int kMarginColumns = 2;

// Rows decoded before they are resampled, while they are still in the processor's cache.
constexpr int kBatchRows = 16;

// A row that starts at a multiple of libjpeg-turbo's vectors (of 16 or 32 bytes) is written past the
// caches to memory, from where the resampler would have to fetch it, for an eighth of all time.
// So every row starts 8 bytes behind such a multiple.
constexpr size_t kVectorBytes = 32;

size_t unalignedStride(size_t rowBytes) {
  return (rowBytes + kVectorBytes - 1) / kVectorBytes * kVectorBytes;
}

uint8_t* unalignedStart(uint8_t* memory) {
  return memory + kVectorBytes - reinterpret_cast<uintptr_t>(memory) % kVectorBytes + 8;
}

// libjpeg's own messages, by code. Its error handler is not used: in Debian's static library that
// one part cannot be linked into a shared object.
#define JCOPYRIGHT_SHORT ""
#define JVERSION ""
#define JMESSAGE(code, text) text,
constexpr const char* kMessages[] = {
#include <jerror.h>
};

struct ErrorHandler {
  jpeg_error_mgr base;
  std::jmp_buf whenFatal;
  bool isOutOfMemory;
  char message[kMaxMessageBytes];
};

[[noreturn]] void leaveDecoder(j_common_ptr info) {
  auto* handler = reinterpret_cast<ErrorHandler*>(info->err);
  const int code = info->err->msg_code;
  handler->isOutOfMemory = code == JERR_OUT_OF_MEMORY || code == JERR_NO_BACKING_STORE;
  const int* n = info->err->msg_parm.i;
  const bool isKnown = code > 0 && code < static_cast<int>(std::size(kMessages));
  const char* text = isKnown ? kMessages[code] : "unknown error";
  // Messages with numbers hold up to eight of them, those with a text hold one "%s".
  if (std::strstr(text, "%s") != nullptr) {
    std::snprintf(handler->message, sizeof handler->message, text, info->err->msg_parm.s);
  } else {
    std::snprintf(handler->message, sizeof handler->message, text, n[0], n[1], n[2], n[3], n[4],
                  n[5], n[6], n[7]);
  }
  std::longjmp(handler->whenFatal, 1);
}

void countWarning(j_common_ptr info, int level) {
  if (level < 0) info->err->num_warnings++;
}
void ignoreMessage(j_common_ptr) {}
void formatNothing(j_common_ptr, char* buffer) { buffer[0] = 0; }
void forgetErrors(j_common_ptr info) { info->err->num_warnings = 0; }

jpeg_error_mgr* setUpErrors(ErrorHandler& handler) {
  handler.base.error_exit = leaveDecoder;
  handler.base.emit_message = countWarning;
  handler.base.output_message = ignoreMessage;
  handler.base.format_message = formatNothing;
  handler.base.reset_error_mgr = forgetErrors;
  return &handler.base;
}

J_COLOR_SPACE wantedColourSpace(int components, int channels) {
  if (components == 4) return JCS_CMYK;
  return components == 1 && channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
}

}  // namespace

// One image. libjpeg reports errors by a jump over our frames, so nothing in here has a destructor.
struct JpegRun {
  JpegDecoder& decoder;
  const Plan& plan;
  Resampler& resampler;
  jpeg_decompress_struct info;
  ErrorHandler errors;

  // Decodes one batch of rows and returns how many there are: `[rows, columns, plan.channels]`
  // from the region's first column on.
  int readBatch(int wantedRows, int skippedColumns, int columns, Rows& batch) {
    JSAMPROW pointers[kBatchRows];
    for (int row = 0; row < wantedRows; row++) pointers[row] = rowMemory + row * rowStride;
    int count = 0;
    while (count < wantedRows) {
      const JDIMENSION rest = static_cast<JDIMENSION>(wantedRows - count);
      const JDIMENSION got = jpeg_read_scanlines(&info, pointers + count, rest);
      if (got == 0) return 0;
      count += static_cast<int>(got);
    }
    const uint8_t* first = rowMemory + static_cast<size_t>(skippedColumns) * info.output_components;
    const size_t targetStride = static_cast<size_t>(columns) * plan.channels;
    if (info.output_components == plan.channels) {
      batch = {first, rowStride};
      return count;
    }
    for (int row = 0; row < count; row++) {
      const uint8_t* from = first + row * rowStride;
      uint8_t* to = convertedMemory + row * targetStride;
      if (info.output_components == 3) {
        rgbToGrey(from, to, columns);
      } else if (plan.channels == 3) {
        invertedCmykToRgb(from, to, columns);
      } else {
        invertedCmykToRgb(from, rgbMemory, columns);
        rgbToGrey(rgbMemory, to, columns);
      }
    }
    batch = {convertedMemory, targetStride};
    return count;
  }

  uint8_t* rowMemory = nullptr;
  size_t rowStride = 0;
  uint8_t* convertedMemory = nullptr;
  uint8_t* rgbMemory = nullptr;

  DecodeOutcome run(const uint8_t* bytes, size_t size) {
    jpeg_mem_src(&info, bytes, static_cast<unsigned long>(size));
    jpeg_read_header(&info, TRUE);
    if (info.image_width != static_cast<JDIMENSION>(plan.width) ||
        info.image_height != static_cast<JDIMENSION>(plan.height)) {
      std::snprintf(errors.message, sizeof errors.message,
                    "expected the header's %d x %d pixels, found %u x %u", plan.width, plan.height,
                    info.image_width, info.image_height);
      return DecodeOutcome::refused;
    }
    info.out_color_space = wantedColourSpace(info.num_components, plan.channels);
    jpeg_start_decompress(&info);
    if (isUnrefined()) return DecodeOutcome::damaged;

    const Region region = sourceRegion(plan);
    if (region.width == 0 || region.height == 0) return outcome();
    const int from = std::max(0, region.x - kMarginColumns);
    const int to = std::min(plan.width, region.x + region.width + kMarginColumns);
    JDIMENSION firstColumn = static_cast<JDIMENSION>(from);
    JDIMENSION columnCount = static_cast<JDIMENSION>(to - from);
    if (to - from < plan.width) jpeg_crop_scanline(&info, &firstColumn, &columnCount);
    if (region.y > 0) jpeg_skip_scanlines(&info, static_cast<JDIMENSION>(region.y));

    const size_t rowBytes = static_cast<size_t>(info.output_width) * info.output_components;
    const size_t regionStride = static_cast<size_t>(region.width) * plan.channels;
    const bool isTurned = plan.orientation != 1;
    const size_t slack = resampler.readSlack();
    rowStride = unalignedStride(rowBytes);
    rowMemory = decoder.rows_.take(rowStride * kBatchRows + slack + 2 * kVectorBytes);
    if (rowMemory != nullptr) rowMemory = unalignedStart(rowMemory);
    convertedMemory = decoder.converted_.take(regionStride * kBatchRows + slack);
    rgbMemory = decoder.rgb_.take(static_cast<size_t>(region.width) * 3);
    uint8_t* regionMemory = isTurned ? decoder.region_.take(regionStride * region.height) : nullptr;
    uint8_t* turnedMemory = isTurned ? decoder.turned_.take(regionStride * region.height + slack) : nullptr;
    if (rowMemory == nullptr || convertedMemory == nullptr || rgbMemory == nullptr ||
        (isTurned && (regionMemory == nullptr || turnedMemory == nullptr))) {
      return DecodeOutcome::outOfMemory;
    }

    for (int row = 0; row < region.height;) {
      Rows batch{};
      const int count = readBatch(std::min(kBatchRows, region.height - row),
                                  region.x - static_cast<int>(firstColumn), region.width, batch);
      if (count == 0) {
        std::snprintf(errors.message, sizeof errors.message, "rows are missing");
        return DecodeOutcome::refused;
      }
      if (isTurned) {
        for (int i = 0; i < count; i++) {
          std::memcpy(regionMemory + (row + i) * regionStride, batch.data + i * batch.stride,
                      regionStride);
        }
      } else {
        const int64_t before = nowNs();
        resampler.push(batch, count);
        decoder.decodeNs_ -= nowNs() - before;
      }
      row += count;
      if (outcome() == DecodeOutcome::damaged) return DecodeOutcome::damaged;
    }
    if (isTurned) {
      orient(regionMemory, region.width, region.height, plan.channels, plan.orientation,
             turnedMemory);
      const size_t turnedStride = static_cast<size_t>(plan.x.spanCount) * plan.channels;
      resampler.push({turnedMemory, turnedStride}, plan.y.spanCount);
    }
    return outcome();
  }

  // Whether scans of a progressive image are missing. libjpeg then smooths its blocks, without a
  // warning, in a way that differs between versions and with where a region begins.
  bool isUnrefined() const {
    if (info.coef_bits == nullptr) return false;
    const int* first = &info.coef_bits[0][0];
    const int* end = first + static_cast<size_t>(info.num_components) * DCTSIZE2;
    return std::any_of(first, end, [](int missingBits) { return missingBits != 0; });
  }

  DecodeOutcome outcome() const {
    return errors.base.num_warnings == 0 ? DecodeOutcome::done : DecodeOutcome::damaged;
  }
};

DecodeOutcome JpegDecoder::decode(const uint8_t* bytes, size_t size, const Plan& plan,
                                  Resampler& resampler, char (&message)[kMaxMessageBytes]) {
  const int64_t started = nowNs();
  decodeNs_ = 0;
  JpegRun run{*this, plan, resampler, {}, {}};
  run.info.err = setUpErrors(run.errors);
  DecodeOutcome outcome;
  if (setjmp(run.errors.whenFatal) == 0) {
    // Made afresh for each image: libjpeg would use one image's tables for the next that has none.
    jpeg_create_decompress(&run.info);
    outcome = run.run(bytes, size);
  } else {
    outcome = run.errors.isOutOfMemory ? DecodeOutcome::outOfMemory : DecodeOutcome::refused;
  }
  if (outcome == DecodeOutcome::refused) {
    std::snprintf(message, sizeof message, "%s", run.errors.message);
  }
  jpeg_destroy_decompress(&run.info);
  decodeNs_ += nowNs() - started;
  return outcome;
}

void JpegDecoder::trim() {
  rows_.trim();
  converted_.trim();
  rgb_.trim();
  region_.trim();
  turned_.trim();
}

}  // namespace edge_infer
