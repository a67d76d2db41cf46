#include "job.h"

namespace edge_infer {
namespace {

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

}  // namespace

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
  job.crop = crop.bytes();
  return nullptr;
}

}  // namespace edge_infer
