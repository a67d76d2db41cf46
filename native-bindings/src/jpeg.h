#pragma once
#include <cstddef>
#include <cstdint>

#include "buffer.h"
#include "plan.h"
#include "resample.h"

namespace edge_infer {

constexpr size_t kMaxMessageBytes = 256;

enum class DecodeOutcome {
  done,
  // Something is broken or missing. The versions of libjpeg mend that in different ways, so such a
  // file is left to the portable way's, whose version is the same everywhere.
  damaged,
  refused,
  outOfMemory
};

// Decodes JPEGs with libjpeg-turbo's default settings, which are Pillow's: accurate DCT, smooth
// upsampling, no colour profile. Only the rows and columns that the plan reads
// are decoded, and handed on to the resampler as they come.
class JpegDecoder {
 public:
  // `refused` leaves a sentence in `message`. A file of other sides than the plan's is refused.
  DecodeOutcome decode(const uint8_t* bytes, size_t size, const Plan& plan, Resampler& resampler,
                       char (&message)[kMaxMessageBytes]);

  // Of the last image: nanoseconds spent decoding, without the resampling in between.
  int64_t decodeNs() const { return decodeNs_; }

  void trim();

 private:
  Buffer rows_;
  Buffer converted_;
  Buffer rgb_;
  Buffer region_;
  Buffer turned_;
  int64_t decodeNs_ = 0;

  friend struct JpegRun;
};

}  // namespace edge_infer
