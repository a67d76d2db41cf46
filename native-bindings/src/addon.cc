// The addon's entry points: arguments are checked here, so that the kernels can trust them. Wrong
// ones are a fault of the program and throw; files that cannot be decoded are told in the result.
// src/platform/native-bindings.ts holds the same signatures as types.

#include <node_api.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base64.h"
#include "jpeg.h"
#include "png.h"
#include "resample.h"
#include "tensor.h"

namespace edge_infer {
namespace {

// Raised with every change of the functions below; the loader refuses another.
constexpr int kApiVersion = 4;

// One thread's buffers.
struct State {
  Kernel kernel = fastestKernel();
  Resampler resampler{kernel};
  JpegDecoder jpeg;
  PngDecoder png;
  Buffer crop;
  Buffer batch;

  void trim() {
    resampler.trim();
    jpeg.trim();
    png.trim();
    crop.trim();
    batch.trim();
  }
};

napi_value throwRange(napi_env env, const char* message) {
  napi_throw_range_error(env, nullptr, message);
  return nullptr;
}

struct Array {
  napi_typedarray_type type = napi_uint8_array;
  size_t length = 0;  // elements
  void* data = nullptr;

  const uint8_t* bytes() const { return static_cast<const uint8_t*>(data); }
};

bool readArray(napi_env env, napi_value value, Array& array) {
  bool isArray = false;
  if (napi_is_typedarray(env, value, &isArray) != napi_ok || !isArray) return false;
  return napi_get_typedarray_info(env, value, &array.type, &array.length, &array.data, nullptr,
                                  nullptr) == napi_ok;
}

bool readArray(napi_env env, napi_value value, napi_typedarray_type type, Array& array) {
  return readArray(env, value, array) && array.type == type;
}

State* getState(napi_env env) {
  void* state = nullptr;
  napi_get_instance_data(env, &state);
  return static_cast<State*>(state);
}

napi_value makeNumber(napi_env env, double value) {
  napi_value number = nullptr;
  napi_create_double(env, value, &number);
  return number;
}

// decodeBase64(source: Uint8Array, start, end, target: Uint8Array): bytes written, or -1
napi_value decodeBase64Call(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  size_t argc = 4;
  Array source, target;
  int64_t start = 0, end = 0;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, nullptr) != napi_ok || argc != 4 ||
      !readArray(env, argv[0], napi_uint8_array, source) ||
      napi_get_value_int64(env, argv[1], &start) != napi_ok ||
      napi_get_value_int64(env, argv[2], &end) != napi_ok ||
      !readArray(env, argv[3], napi_uint8_array, target)) {
    return throwRange(env, "decodeBase64: expected (Uint8Array, number, number, Uint8Array)");
  }
  if (start < 0 || end < start || static_cast<uint64_t>(end) > source.length) {
    return throwRange(env, "decodeBase64: expected 0 <= start <= end <= source.length");
  }
  const size_t size = static_cast<size_t>(end - start);
  const size_t written = decodeBase64(source.bytes() + start, size,
                                      static_cast<uint8_t*>(target.data), target.length,
                                      getState(env)->kernel);
  return makeNumber(env, written == kNotBase64 ? -1 : static_cast<double>(written));
}

// What the prepare functions are given after the bytes, in this order.
struct Job {
  Plan plan;
  TensorFormat format;
  Array target;
  uint8_t* crop;
};

// Numbers of a job's Int32Array; src/imaging/native-job.ts writes them in the same order.
enum JobField {
  kWidth,
  kHeight,
  kOrientation,
  kChannels,
  kXSpanStart,
  kXSpanCount,
  kXCount,
  kXTo,
  kXLength,
  kXStride,
  kYSpanStart,
  kYSpanCount,
  kYCount,
  kYTo,
  kYLength,
  kYStride,
  kVerticalFirst,
  kCanvasFill,
  kCanvasX,
  kCanvasY,
  kCanvasWidth,
  kCanvasHeight,
  kIsNhwc,
  kIsBgr,
  kJobFields
};

constexpr size_t kJobArguments = 10;  // job, 3 of x, 3 of y, tensor table, target, crop

bool readTable(napi_env env, const napi_value* argv, int stride, Axis& axis) {
  axis.stride = stride;
  if (stride == 0) return true;
  Array starts, sizes, weights;
  if (stride < 0 || axis.count < 0 || !readArray(env, argv[0], napi_int32_array, starts) ||
      !readArray(env, argv[1], napi_int32_array, sizes) ||
      !readArray(env, argv[2], napi_int32_array, weights)) {
    return false;
  }
  const size_t count = static_cast<size_t>(axis.count);
  if (starts.length < count || sizes.length < count || weights.length / stride < count) return false;
  axis.starts = static_cast<const int32_t*>(starts.data);
  axis.sizes = static_cast<const int32_t*>(sizes.data);
  axis.weights = static_cast<const int32_t*>(weights.data);
  return true;
}

// Null when all is well, else what is wrong.
const char* readJob(napi_env env, const napi_value* argv, State& state, Job& job) {
  Array fields;
  if (!readArray(env, argv[0], napi_int32_array, fields) || fields.length != kJobFields) {
    return "expected a job of the agreed length";
  }
  const int32_t* f = static_cast<const int32_t*>(fields.data);
  Plan& plan = job.plan;
  plan.width = f[kWidth];
  plan.height = f[kHeight];
  plan.orientation = f[kOrientation];
  plan.channels = f[kChannels];
  plan.x = {f[kXSpanStart], f[kXSpanCount], f[kXCount], f[kXTo], f[kXLength]};
  plan.y = {f[kYSpanStart], f[kYSpanCount], f[kYCount], f[kYTo], f[kYLength]};
  plan.verticalFirst = f[kVerticalFirst] != 0;
  plan.canvasFill = static_cast<uint8_t>(f[kCanvasFill]);
  plan.canvasX = f[kCanvasX];
  plan.canvasY = f[kCanvasY];
  plan.canvasWidth = f[kCanvasWidth];
  plan.canvasHeight = f[kCanvasHeight];
  if (!readTable(env, argv + 1, f[kXStride], plan.x) ||
      !readTable(env, argv + 4, f[kYStride], plan.y) || !isSound(plan)) {
    return "the plan's numbers contradict each other or lie beyond their bounds";
  }

  Array table;
  if (!readArray(env, argv[7], table) || !readArray(env, argv[8], job.target) ||
      table.type != job.target.type) {
    return "expected a table and a target of the same kind";
  }
  switch (table.type) {
    case napi_float32_array:
      job.format.elementBytes = 4;
      break;
    case napi_uint16_array:
      job.format.elementBytes = 2;
      break;
    case napi_uint8_array:
      job.format.elementBytes = 1;
      break;
    default:
      return "expected a target of float32, float16 (its bits) or uint8";
  }
  job.format.isNhwc = f[kIsNhwc] != 0;
  job.format.isBgr = f[kIsBgr] != 0;
  job.format.table = table.data;
  if (table.length != 256 * static_cast<size_t>(plan.channels)) {
    return "expected a table of 256 elements a channel";
  }
  if (job.target.length < plan.cropBytes()) return "the target is too short for the crop";

  napi_valuetype cropType;
  if (napi_typeof(env, argv[9], &cropType) == napi_ok && cropType == napi_undefined) {
    job.crop = state.crop.take(plan.cropBytes());
    return job.crop == nullptr ? "no memory for the crop" : nullptr;
  }
  Array crop;
  if (!readArray(env, argv[9], napi_uint8_array, crop) || crop.length != plan.cropBytes()) {
    return "expected a crop of the plan's size, or undefined";
  }
  job.crop = static_cast<uint8_t*>(crop.data);
  return nullptr;
}

void fillTarget(const Job& job) {
  const size_t pixels = static_cast<size_t>(job.plan.x.length) * job.plan.y.length;
  fillTensor(job.crop, pixels, job.plan.channels, job.format, job.target.data);
}

// prepareJpeg(bytes: Uint8Array, ...job): milliseconds of decoding; null for damaged data, which the
// portable way has to decide on; or a sentence on why it cannot be decoded
napi_value prepareJpeg(napi_env env, napi_callback_info info) {
  napi_value argv[1 + kJobArguments];
  size_t argc = 1 + kJobArguments;
  Array bytes;
  Job job{};
  State& state = *getState(env);
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, nullptr) != napi_ok ||
      argc != 1 + kJobArguments || !readArray(env, argv[0], napi_uint8_array, bytes)) {
    return throwRange(env, "prepareJpeg: expected a Uint8Array and a job");
  }
  const char* problem = readJob(env, argv + 1, state, job);
  if (problem != nullptr) return throwRange(env, problem);

  char message[kMaxMessageBytes];
  DecodeOutcome outcome = DecodeOutcome::outOfMemory;
  if (state.resampler.begin(job.plan, job.crop)) {
    outcome = state.jpeg.decode(bytes.bytes(), bytes.length, job.plan, state.resampler, message);
  }
  if (outcome == DecodeOutcome::done && !state.resampler.finish()) {
    outcome = DecodeOutcome::outOfMemory;
  }
  if (outcome == DecodeOutcome::done) fillTarget(job);
  state.trim();

  switch (outcome) {
    case DecodeOutcome::done:
      return makeNumber(env, static_cast<double>(state.jpeg.decodeNs()) / 1e6);
    case DecodeOutcome::damaged: {
      napi_value nothing = nullptr;
      napi_get_null(env, &nothing);
      return nothing;
    }
    case DecodeOutcome::refused: {
      napi_value sentence = nullptr;
      napi_create_string_utf8(env, message, NAPI_AUTO_LENGTH, &sentence);
      return sentence;
    }
    default:
      napi_throw_error(env, nullptr, "prepareJpeg: no memory for the image");
      return nullptr;
  }
}

// preparePng(bytes: Uint8Array, pieces: Uint32Array, colourType, bitDepth, palette: Uint8Array,
// ...job): milliseconds of decoding; null for anything but exactly the rows, undamaged, which the
// portable way has to decide on
napi_value preparePng(napi_env env, napi_callback_info info) {
  constexpr size_t kOwnArguments = 5;
  napi_value argv[kOwnArguments + kJobArguments];
  size_t argc = kOwnArguments + kJobArguments;
  Array bytes, pieces, palette;
  PngRows rows{};
  State& state = *getState(env);
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, nullptr) != napi_ok ||
      argc != kOwnArguments + kJobArguments || !readArray(env, argv[0], napi_uint8_array, bytes) ||
      !readArray(env, argv[1], napi_uint32_array, pieces) ||
      napi_get_value_int32(env, argv[2], &rows.colourType) != napi_ok ||
      napi_get_value_int32(env, argv[3], &rows.bitDepth) != napi_ok ||
      !readArray(env, argv[4], napi_uint8_array, palette)) {
    return throwRange(
        env, "preparePng: expected (Uint8Array, Uint32Array, number, number, Uint8Array) and a job");
  }
  rows.file = bytes.bytes();
  rows.pieces = static_cast<const uint32_t*>(pieces.data);
  rows.pieceCount = pieces.length / 2;
  uint8_t colours[kPaletteColours * 3] = {};
  if (palette.length > sizeof colours) {
    return throwRange(env, "preparePng: expected a palette of 256 colours at most");
  }
  if (palette.length > 0) std::memcpy(colours, palette.data, palette.length);
  rows.palette = colours;
  if (!isSound(rows, bytes.length)) {
    return throwRange(env, "preparePng: expected whole bytes a sample and pieces in order within the file");
  }
  Job job{};
  const char* problem = readJob(env, argv + kOwnArguments, state, job);
  if (problem != nullptr) return throwRange(env, problem);
  if (job.plan.orientation != 1) {
    return throwRange(env, "preparePng: expected a plan for an image that is not turned");
  }

  PngOutcome outcome = PngOutcome::outOfMemory;
  if (state.resampler.begin(job.plan, job.crop)) {
    outcome = state.png.decode(rows, job.plan, state.resampler);
  }
  if (outcome == PngOutcome::done && !state.resampler.finish()) outcome = PngOutcome::outOfMemory;
  if (outcome == PngOutcome::done) fillTarget(job);
  state.trim();

  switch (outcome) {
    case PngOutcome::done:
      return makeNumber(env, static_cast<double>(state.png.decodeNs()) / 1e6);
    case PngOutcome::unusual: {
      napi_value nothing = nullptr;
      napi_get_null(env, &nothing);
      return nothing;
    }
    default:
      napi_throw_error(env, nullptr, "preparePng: no memory for the image");
      return nullptr;
  }
}

// Copies rows into memory that may be read beyond its end, which the caller's may not.
bool pushRegion(const uint8_t* data, size_t stride, State& state, const Plan& plan) {
  constexpr int kBatchRows = 16;
  const uint8_t* first = data + plan.y.spanStart * stride +
                         static_cast<size_t>(plan.x.spanStart) * plan.channels;
  const size_t rowBytes = static_cast<size_t>(plan.x.spanCount) * plan.channels;
  uint8_t* batch = state.batch.take(rowBytes * kBatchRows + state.resampler.readSlack());
  if (batch == nullptr) return false;
  for (int row = 0; row < plan.y.spanCount; row += kBatchRows) {
    const int count = std::min(kBatchRows, plan.y.spanCount - row);
    for (int i = 0; i < count; i++) {
      std::memcpy(batch + i * rowBytes, first + (row + i) * stride, rowBytes);
    }
    state.resampler.push({batch, rowBytes}, count);
  }
  return true;
}

// preparePixels(data: Uint8Array, ...job): decoded pixels `[H, W, C]` of the plan's channels
napi_value preparePixels(napi_env env, napi_callback_info info) {
  napi_value argv[1 + kJobArguments];
  size_t argc = 1 + kJobArguments;
  Array data;
  Job job{};
  State& state = *getState(env);
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, nullptr) != napi_ok ||
      argc != 1 + kJobArguments || !readArray(env, argv[0], napi_uint8_array, data)) {
    return throwRange(env, "preparePixels: expected a Uint8Array and a job");
  }
  const char* problem = readJob(env, argv + 1, state, job);
  if (problem != nullptr) return throwRange(env, problem);
  const Plan& plan = job.plan;
  if (plan.orientation != 1) return throwRange(env, "preparePixels: expected turned pixels");
  const size_t stride = static_cast<size_t>(plan.width) * plan.channels;
  if (data.length != stride * plan.height) {
    return throwRange(env, "preparePixels: expected data of the plan's sides");
  }
  bool hasMemory = state.resampler.begin(plan, job.crop);
  if (hasMemory && !plan.isEmpty()) {
    hasMemory = pushRegion(data.bytes(), stride, state, plan) && state.resampler.finish();
  }
  if (hasMemory) fillTarget(job);
  state.trim();
  if (!hasMemory) napi_throw_error(env, nullptr, "preparePixels: no memory for the image");
  return nullptr;
}

// findMarker(bytes: Uint8Array, from): where the code of the next JPEG marker stands, or -1; stuffed
// (FF00) and filling (FFFF) bytes are passed over
napi_value findMarker(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  size_t argc = 2;
  Array array;
  int64_t from = 0;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, nullptr) != napi_ok || argc != 2 ||
      !readArray(env, argv[0], napi_uint8_array, array) ||
      napi_get_value_int64(env, argv[1], &from) != napi_ok || from < 0) {
    return throwRange(env, "findMarker: expected (Uint8Array, number)");
  }
  const uint8_t* bytes = array.bytes();
  size_t at = static_cast<size_t>(from);
  while (at < array.length) {
    const void* found = std::memchr(bytes + at, 0xff, array.length - at);
    if (found == nullptr) break;
    at = static_cast<const uint8_t*>(found) - bytes + 1;
    while (at < array.length && bytes[at] == 0xff) at++;
    if (at < array.length && bytes[at] != 0) return makeNumber(env, static_cast<double>(at));
    at++;
  }
  return makeNumber(env, -1);
}

// useKernel(name: string): takes one of `kernels` from now on; for tests and benchmarks
napi_value useKernel(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  size_t argc = 1;
  char name[32];
  size_t length = 0;
  if (napi_get_cb_info(env, info, &argc, argv, nullptr, nullptr) != napi_ok || argc != 1 ||
      napi_get_value_string_utf8(env, argv[0], name, sizeof name, &length) != napi_ok) {
    return throwRange(env, "useKernel: expected (string)");
  }
  for (const Kernel kernel : kKernels) {
    if (std::strcmp(name, nameOf(kernel)) != 0 || !isSupported(kernel)) continue;
    State& state = *getState(env);
    state.kernel = kernel;
    state.resampler.setKernel(kernel);
    return nullptr;
  }
  return throwRange(env, "useKernel: expected one of the kernels that this processor has");
}

// Names of the kernels that this processor has, the fastest first; it is in use from the start.
napi_value listKernels(napi_env env) {
  napi_value names = nullptr;
  napi_create_array(env, &names);
  uint32_t count = 0;
  for (const Kernel kernel : kKernels) {
    if (!isSupported(kernel)) continue;
    napi_value name = nullptr;
    napi_create_string_utf8(env, nameOf(kernel), NAPI_AUTO_LENGTH, &name);
    napi_set_element(env, names, count++, name);
  }
  return names;
}

#ifdef EDGE_INFER_PLANTED_FAULT
// Proves that the sanitizer is at work: reads one byte too far.
napi_value readBeyondItsEnd(napi_env env, napi_callback_info) {
  volatile size_t size = 16;  // unknown to the compiler, which would warn
  volatile uint8_t* bytes = static_cast<uint8_t*>(std::calloc(size, 1));
  const uint8_t byte = bytes[size];
  std::free(const_cast<uint8_t*>(bytes));
  return makeNumber(env, byte);
}
#endif

void deleteState(napi_env, void* state, void*) { delete static_cast<State*>(state); }

void exportFunction(napi_env env, napi_value exports, const char* name, napi_callback call) {
  napi_value function = nullptr;
  napi_create_function(env, name, NAPI_AUTO_LENGTH, call, nullptr, &function);
  napi_set_named_property(env, exports, name, function);
}

}  // namespace
}  // namespace edge_infer

NAPI_MODULE_INIT() {
  using namespace edge_infer;
  napi_set_instance_data(env, new State(), deleteState, nullptr);
  napi_set_named_property(env, exports, "apiVersion", makeNumber(env, kApiVersion));
  napi_set_named_property(env, exports, "kernels", listKernels(env));
  exportFunction(env, exports, "decodeBase64", decodeBase64Call);
  exportFunction(env, exports, "prepareJpeg", prepareJpeg);
  exportFunction(env, exports, "preparePng", preparePng);
  exportFunction(env, exports, "preparePixels", preparePixels);
  exportFunction(env, exports, "findMarker", findMarker);
  exportFunction(env, exports, "useKernel", useKernel);
#ifdef EDGE_INFER_PLANTED_FAULT
  exportFunction(env, exports, "readBeyondItsEnd", readBeyondItsEnd);
#endif
  return exports;
}
