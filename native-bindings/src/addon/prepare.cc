#include <algorithm>
#include <cstdint>
#include <cstring>

#include "entry-points.h"
#include "job.h"
#include "state.h"
#include "values.h"

namespace edge_infer {
namespace {

// Resamples what `push` hands to the resampler, and fills the target when that is the whole image.
template <typename Outcome, typename Push>
Outcome prepare(State& state, const Job& job, Push push) {
  Outcome outcome = Outcome::outOfMemory;
  if (state.resampler.begin(job.plan, job.crop)) outcome = push();
  if (outcome == Outcome::done && !state.resampler.finish()) outcome = Outcome::outOfMemory;
  if (outcome == Outcome::done) job.fillTarget();
  state.trim();
  return outcome;
}

enum class PushOutcome { done, outOfMemory };

// Copies rows into memory that may be read beyond its end, which the caller's may not.
PushOutcome pushRegion(const uint8_t* data, size_t stride, State& state, const Plan& plan) {
  if (plan.isEmpty()) return PushOutcome::done;
  constexpr int kBatchRows = 16;
  const uint8_t* first = data + plan.y.spanStart * stride +
                         static_cast<size_t>(plan.x.spanStart) * plan.channels;
  const size_t rowBytes = static_cast<size_t>(plan.x.spanCount) * plan.channels;
  uint8_t* batch = state.batch.take(rowBytes * kBatchRows + state.resampler.readSlack());
  if (batch == nullptr) return PushOutcome::outOfMemory;
  for (int row = 0; row < plan.y.spanCount; row += kBatchRows) {
    const int count = std::min(kBatchRows, plan.y.spanCount - row);
    for (int i = 0; i < count; i++) {
      std::memcpy(batch + i * rowBytes, first + (row + i) * stride, rowBytes);
    }
    state.resampler.push({batch, rowBytes}, count);
  }
  return PushOutcome::done;
}

}  // namespace

napi_value prepareJpeg(napi_env env, napi_callback_info info) {
  napi_value argv[1 + kJobArguments];
  Array bytes;
  Job job{};
  State& state = getState(env);
  if (!readArguments(env, info, argv) || !readArray(env, argv[0], napi_uint8_array, bytes)) {
    return throwRange(env, "prepareJpeg: expected a Uint8Array and a job");
  }
  const char* problem = readJob(env, argv + 1, state, job);
  if (problem != nullptr) return throwRange(env, problem);

  char message[kMaxMessageBytes];
  const DecodeOutcome outcome = prepare<DecodeOutcome>(state, job, [&] {
    return state.jpeg.decode(bytes.bytes(), bytes.length, job.plan, state.resampler, message);
  });
  switch (outcome) {
    case DecodeOutcome::done:
      return makeNumber(env, static_cast<double>(state.jpeg.decodeNs()) / 1e6);
    case DecodeOutcome::damaged:
      return makeNull(env);
    case DecodeOutcome::refused:
      return makeString(env, message);
    default:
      return throwError(env, "prepareJpeg: no memory for the image");
  }
}

napi_value preparePng(napi_env env, napi_callback_info info) {
  constexpr size_t kOwnArguments = 5;
  napi_value argv[kOwnArguments + kJobArguments];
  Array bytes, pieces, palette;
  PngRows rows{};
  State& state = getState(env);
  if (!readArguments(env, info, argv) || !readArray(env, argv[0], napi_uint8_array, bytes) ||
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

  const PngOutcome outcome = prepare<PngOutcome>(
      state, job, [&] { return state.png.decode(rows, job.plan, state.resampler); });
  switch (outcome) {
    case PngOutcome::done:
      return makeNumber(env, static_cast<double>(state.png.decodeNs()) / 1e6);
    case PngOutcome::unusual:
      return makeNull(env);
    default:
      return throwError(env, "preparePng: no memory for the image");
  }
}

napi_value preparePixels(napi_env env, napi_callback_info info) {
  napi_value argv[1 + kJobArguments];
  Array data;
  Job job{};
  State& state = getState(env);
  if (!readArguments(env, info, argv) || !readArray(env, argv[0], napi_uint8_array, data)) {
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
  const PushOutcome outcome = prepare<PushOutcome>(
      state, job, [&] { return pushRegion(data.bytes(), stride, state, plan); });
  return outcome == PushOutcome::done
             ? nullptr
             : throwError(env, "preparePixels: no memory for the image");
}

}  // namespace edge_infer
