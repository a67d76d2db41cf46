// Coverage-guided fuzzing of everything behind the addon's entry points (libFuzzer).
//
// An input is a file's bytes followed by kControlBytes that choose what is done with it, so that
// real images are seeds as they are. Each input goes through every kernel that this processor has;
// they must agree.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "../src/base64.h"
#include "../src/jpeg.h"
#include "../src/plan.h"
#include "../src/png.h"
#include "../src/resample.h"
#include "../src/tensor.h"
#include "../src/unfilter.h"

using namespace edge_infer;

namespace {

constexpr size_t kControlBytes = 16;
// Sides beyond this cost time and reach no other code.
constexpr int kLongestFuzzedSide = 512;

// A small generator, so that a few control bytes make whole tables.
struct Numbers {
  uint64_t state;
  int below(int limit) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<int>((state >> 33) % static_cast<uint64_t>(limit));
  }
};

struct Table {
  std::vector<int32_t> starts, sizes, weights;
};

// An axis as resizing or copying might make one, or like none that ever was, but sound.
Axis makeAxis(Numbers& numbers, int inSize, Table& table) {
  Axis axis;
  axis.spanStart = numbers.below(inSize);
  axis.spanCount = 1 + numbers.below(inSize - axis.spanStart);
  const bool isResized = numbers.below(4) > 0;
  axis.count = isResized ? 1 + numbers.below(70) : axis.spanCount;
  axis.to = numbers.below(3) == 0 ? numbers.below(20) : 0;
  axis.length = std::min(kLongestSide, axis.to + axis.count + numbers.below(8));
  if (!isResized) return axis;
  axis.stride = 1 + numbers.below(numbers.below(5) == 0 ? 60 : 9);
  table.starts.resize(axis.count);
  table.sizes.resize(axis.count);
  table.weights.resize(static_cast<size_t>(axis.count) * axis.stride);
  for (int i = 0; i < axis.count; i++) {
    table.sizes[i] = numbers.below(std::min(axis.stride, axis.spanCount) + 1);
    table.starts[i] = axis.spanStart + numbers.below(axis.spanCount - table.sizes[i] + 1);
  }
  // As large as a weight can be: one and a half in fixed point, of either sign.
  for (int32_t& weight : table.weights) weight = numbers.below(3 << 22) - (3 << 21);
  axis.starts = table.starts.data();
  axis.sizes = table.sizes.data();
  axis.weights = table.weights.data();
  return axis;
}

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// The sides of a JPEG's first frame header, or some that fit none.
void findSides(const uint8_t* bytes, size_t size, int& width, int& height) {
  for (size_t i = 0; i + 9 < size; i++) {
    const uint8_t marker = bytes[i + 1];
    const bool isFrame = bytes[i] == 0xff && marker >= 0xc0 && marker <= 0xcf && marker != 0xc4;
    if (!isFrame) continue;
    height = bytes[i + 5] << 8 | bytes[i + 6];
    width = bytes[i + 7] << 8 | bytes[i + 8];
    return;
  }
}

// A plan for an image of these sides, whose tables lie in `tables`.
Plan makePlan(Numbers& numbers, int width, int height, bool mayTurn, Table (&tables)[2]) {
  Plan plan;
  plan.width = width;
  plan.height = height;
  plan.orientation = mayTurn && numbers.below(3) > 0 ? 1 + numbers.below(8) : 1;
  plan.channels = numbers.below(3) == 0 ? 1 : 3;
  plan.verticalFirst = numbers.below(2) == 0;
  plan.canvasFill = static_cast<uint8_t>(numbers.below(256));
  const bool turned = plan.orientation >= 5;
  plan.x = makeAxis(numbers, turned ? height : width, tables[0]);
  plan.y = makeAxis(numbers, turned ? width : height, tables[1]);
  plan.canvasWidth = numbers.below(plan.x.length + 1);
  plan.canvasHeight = numbers.below(plan.y.length + 1);
  require(isSound(plan), "the fuzzer's plans are sound");
  return plan;
}

bool isFuzzedSide(int side) { return side >= 1 && side <= kLongestFuzzedSide; }

// Decodes for every kernel, and fills a tensor from what they agree on.
template <typename Decode>
void compareKernels(const Plan& plan, Numbers& numbers, Decode decode) {
  const auto makeCrop = [&](Kernel kernel, std::vector<uint8_t>& crop) {
    Resampler resampler(kernel);
    crop.resize(plan.cropBytes());
    require(resampler.begin(plan, crop.data()), "there is memory");
    const bool isDone = decode(resampler);
    if (isDone) require(resampler.finish(), "there is memory");
    return isDone;
  };
  std::vector<uint8_t> expected;
  const bool isTaken = makeCrop(Kernel::scalar, expected);
  for (const Kernel kernel : kKernels) {
    if (!isSupported(kernel)) continue;
    std::vector<uint8_t> crop;
    require(makeCrop(kernel, crop) == isTaken, "all kernels take the same files");
    require(!isTaken || crop == expected, "all kernels give the same pixels");
  }
  if (!isTaken) return;

  std::vector<float> table(256 * plan.channels);
  std::vector<float> tensor(plan.cropBytes());
  const TensorFormat format{numbers.below(2) == 0, numbers.below(2) == 0, 4, table.data()};
  fillTensor(expected.data(), tensor.size() / plan.channels, plan.channels, format, tensor.data());
}

void fuzzJpeg(const uint8_t* bytes, size_t size, Numbers& numbers) {
  JpegDecoder decoder;  // a new one, whose buffers are no longer than this image needs
  int width = 16;
  int height = 16;
  findSides(bytes, size, width, height);
  if (!isFuzzedSide(width) || !isFuzzedSide(height)) return;
  Table tables[2];
  const Plan plan = makePlan(numbers, width, height, true, tables);
  compareKernels(plan, numbers, [&](Resampler& resampler) {
    char message[kMaxMessageBytes] = {};
    return decoder.decode(bytes, size, plan, resampler, message) == DecodeOutcome::done;
  });
}

constexpr int kPixelBytes[] = {1, 2, 3, 4, 6, 8};

// One row and the one above it against the formulas of the PNG specification, section 9.2.
void fuzzUnfilter(const uint8_t* bytes, size_t size, Numbers& numbers) {
  const int step = kPixelBytes[numbers.below(6)];
  const int filter = numbers.below(kLastFilter + 1);
  const size_t rowBytes = size / 2 / step * step;
  std::vector<uint8_t> row(rowBytes + kUnfilterSlack);
  std::vector<uint8_t> above(rowBytes + kUnfilterSlack);
  std::copy(bytes, bytes + rowBytes, row.begin());
  std::copy(bytes + rowBytes, bytes + 2 * rowBytes, above.begin());
  std::vector<uint8_t> expected(row.begin(), row.begin() + rowBytes);
  for (size_t i = 0; i < rowBytes; i++) {
    const bool isFirst = i < static_cast<size_t>(step);
    const int a = isFirst ? 0 : expected[i - step];
    const int b = above[i];
    const int c = isFirst ? 0 : above[i - step];
    const int toA = std::abs(b - c);
    const int toB = std::abs(a - c);
    const int toC = std::abs(a + b - 2 * c);
    const int paeth = toA <= toB && toA <= toC ? a : toB <= toC ? b : c;
    const int predicted[] = {0, a, b, (a + b) / 2, paeth};
    expected[i] = static_cast<uint8_t>(expected[i] + predicted[filter]);
  }
  unfilterRow(filter, row.data(), above.data(), rowBytes, step);
  require(std::equal(expected.begin(), expected.end(), row.begin()), "rows are the formulas'");
}

uint32_t readUint32(const uint8_t* bytes) {
  return static_cast<uint32_t>(bytes[0]) << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

struct PngFile {
  int width = 16;
  int height = 16;
  int bitDepth = 8;
  int colourType = 2;
  std::vector<uint32_t> pieces;
};

// The header and the rows' pieces, checksums unseen; any bytes are some such file.
PngFile readPng(const std::vector<uint8_t>& file) {
  PngFile png;
  for (size_t at = 8; at + 12 <= file.size();) {
    const uint8_t* chunk = file.data() + at;
    const size_t length = std::min<size_t>(readUint32(chunk), file.size() - at - 12);
    if (std::memcmp(chunk + 4, "IHDR", 4) == 0 && length >= 10) {
      png.width = static_cast<int>(readUint32(chunk + 8) & 0xffff);
      png.height = static_cast<int>(readUint32(chunk + 12) & 0xffff);
      png.bitDepth = chunk[16];
      png.colourType = chunk[17];
    } else if (std::memcmp(chunk + 4, "IDAT", 4) == 0) {
      png.pieces.push_back(static_cast<uint32_t>(at + 8));
      png.pieces.push_back(static_cast<uint32_t>(at + 8 + length));
    }
    at += 12 + length;
  }
  return png;
}

// Takes a file for a PNG's rows themselves, so that they come to be decoded undamaged.
PngFile packRows(std::vector<uint8_t>& file, Numbers& numbers) {
  PngFile png;
  // Most are small, which is fast; some are decoded in several batches.
  const bool isLarge = numbers.below(32) == 0;
  png.width = 1 + numbers.below(isLarge ? kLongestFuzzedSide : 40);
  png.bitDepth = numbers.below(3) == 0 ? 16 : 8;
  constexpr int kColourTypes[] = {0, 2, 3, 4, 6};
  constexpr int kSamples[] = {1, 3, 1, 2, 4};
  const int kind = numbers.below(5);
  png.colourType = kColourTypes[kind];
  if (png.colourType == 3) png.bitDepth = 8;
  const size_t lineBytes = 1 + static_cast<size_t>(png.width) * kSamples[kind] * png.bitDepth / 8;
  const size_t enough = isLarge ? std::max<size_t>(lineBytes, 600'000) : lineBytes;
  if (file.empty()) file.push_back(0);
  for (size_t i = 0; file.size() < enough; i++) file.push_back(file[i]);
  png.height = std::min(kLongestFuzzedSide, static_cast<int>(file.size() / lineBytes));
  file.resize(png.height * lineBytes);
  for (size_t line = 0; line < file.size(); line += lineBytes) {
    if (file[line] != kLastFilter + 1) file[line] %= kLastFilter + 1;
  }
  uLongf size = compressBound(static_cast<uLong>(file.size()));
  std::vector<uint8_t> stream(size);
  require(compress2(stream.data(), &size, file.data(), static_cast<uLong>(file.size()), 1) == Z_OK,
          "zlib compresses");
  stream.resize(size);
  file = stream;
  const uint32_t cut = static_cast<uint32_t>(numbers.below(static_cast<int>(size) + 1));
  png.pieces = {0, cut, cut, static_cast<uint32_t>(size)};
  return png;
}

void fuzzPng(std::vector<uint8_t> file, bool isRows, Numbers& numbers) {
  PngDecoder decoder;
  const PngFile png = isRows ? packRows(file, numbers) : readPng(file);
  if (!isFuzzedSide(png.width) || !isFuzzedSide(png.height)) return;
  uint8_t palette[kPaletteColours * 3];
  for (uint8_t& sample : palette) sample = static_cast<uint8_t>(numbers.below(256));
  const PngRows rows{file.data(), png.pieces.data(), png.pieces.size() / 2, png.colourType,
                     png.bitDepth, palette};
  if (!isSound(rows, file.size())) return;
  Table tables[2];
  const Plan plan = makePlan(numbers, png.width, png.height, false, tables);
  compareKernels(plan, numbers, [&](Resampler& resampler) {
    return decoder.decode(rows, plan, resampler) == PngOutcome::done;
  });
}

void fuzzBase64(const uint8_t* bytes, size_t size) {
  // Sometimes too short a target, which must never be written beyond.
  std::vector<uint8_t> expected(size % 5 == 0 ? size / 2 : size / 4 * 3 + 3);
  const size_t length = decodeBase64(bytes, size, expected.data(), expected.size(), Kernel::scalar);
  for (const Kernel kernel : kKernels) {
    if (!isSupported(kernel)) continue;
    std::vector<uint8_t> target(expected.size());
    const size_t written = decodeBase64(bytes, size, target.data(), target.size(), kernel);
    require(written == length, "all kernels take the same text");
    if (length == kNotBase64) continue;
    require(std::memcmp(target.data(), expected.data(), length) == 0,
            "all kernels give the same bytes");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kControlBytes) return 0;
  const size_t fileSize = size - kControlBytes;
  Numbers numbers{};
  std::memcpy(&numbers.state, data + fileSize, sizeof numbers.state);
  // Copies of the exact size, so that a byte read too far is seen.
  const std::vector<uint8_t> file(data, data + fileSize);
  // A JPEG ends in 0xd9, a PNG in 0x82.
  switch (data[size - 1] % 8) {
    case 0:
      fuzzBase64(file.data(), file.size());
      break;
    case 2:
      fuzzPng(file, false, numbers);
      break;
    case 3:
      fuzzPng(file, true, numbers);
      break;
    case 4:
      fuzzUnfilter(file.data(), file.size(), numbers);
      break;
    default:
      fuzzJpeg(file.data(), file.size(), numbers);
  }
  return 0;
}
