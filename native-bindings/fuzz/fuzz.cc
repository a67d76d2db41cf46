// Coverage-guided fuzzing of everything behind the addon's entry points (libFuzzer).
//
// An input is a file's bytes followed by kControlBytes that choose what is done with it, so that
// real images are seeds as they are. Each input goes through the vector kernels and through the
// plain ones, which must agree.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "../src/base64.h"
#include "../src/jpeg.h"
#include "../src/plan.h"
#include "../src/resample.h"
#include "../src/tensor.h"

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

void fuzzJpeg(const uint8_t* bytes, size_t size, Numbers& numbers) {
  static JpegDecoder decoder;
  Plan plan;
  plan.width = plan.height = 16;
  findSides(bytes, size, plan.width, plan.height);
  if (plan.width < 1 || plan.height < 1) return;
  if (plan.width > kLongestFuzzedSide || plan.height > kLongestFuzzedSide) return;
  plan.orientation = numbers.below(3) == 0 ? 1 + numbers.below(8) : 1;
  plan.channels = numbers.below(3) == 0 ? 1 : 3;
  plan.verticalFirst = numbers.below(2) == 0;
  plan.canvasFill = static_cast<uint8_t>(numbers.below(256));
  const bool turned = plan.orientation >= 5;
  Table xTable, yTable;
  plan.x = makeAxis(numbers, turned ? plan.height : plan.width, xTable);
  plan.y = makeAxis(numbers, turned ? plan.width : plan.height, yTable);
  plan.canvasWidth = numbers.below(plan.x.length + 1);
  plan.canvasHeight = numbers.below(plan.y.length + 1);
  require(isSound(plan), "the fuzzer's plans are sound");

  DecodeOutcome outcomes[2];
  std::vector<uint8_t> crops[2];
  for (int way = 0; way < 2; way++) {
    Resampler resampler(way == 1);
    crops[way].resize(plan.cropBytes());
    char message[kMaxMessageBytes] = {};
    require(resampler.begin(plan, crops[way].data()), "there is memory");
    outcomes[way] = decoder.decode(bytes, size, plan, resampler, message);
    if (outcomes[way] == DecodeOutcome::done) require(resampler.finish(), "there is memory");
  }
  require(outcomes[0] == outcomes[1], "both kernels take the same files");
  if (outcomes[0] != DecodeOutcome::done) return;
  require(crops[0] == crops[1], "both kernels give the same pixels");

  std::vector<float> table(256 * plan.channels);
  std::vector<float> tensor(plan.cropBytes());
  const TensorFormat format{numbers.below(2) == 0, numbers.below(2) == 0, 4, table.data()};
  fillTensor(crops[0].data(), tensor.size() / plan.channels, plan.channels, format, tensor.data());
}

void fuzzBase64(const uint8_t* bytes, size_t size) {
  std::vector<uint8_t> targets[2];
  size_t written[2];
  for (int way = 0; way < 2; way++) {
    targets[way].resize(size / 4 * 3 + 3);
    written[way] = decodeBase64(bytes, size, targets[way].data(), way == 1);
  }
  require(written[0] == written[1], "both ways take the same text");
  if (written[0] == kNotBase64) return;
  require(std::memcmp(targets[0].data(), targets[1].data(), written[0]) == 0,
          "both ways give the same bytes");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < kControlBytes) return 0;
  const size_t fileSize = size - kControlBytes;
  Numbers numbers{};
  std::memcpy(&numbers.state, data + fileSize, sizeof numbers.state);
  // Copies of the exact size, so that a byte read too far is seen.
  const std::vector<uint8_t> file(data, data + fileSize);
  if (data[size - 1] % 4 == 0) {
    fuzzBase64(file.data(), file.size());
  } else {
    fuzzJpeg(file.data(), file.size(), numbers);
  }
  return 0;
}
