#include <cstdint>
#include <cstring>

#include "../base64.h"
#include "entry-points.h"
#include "state.h"
#include "values.h"

namespace edge_infer {

napi_value decodeBase64Call(napi_env env, napi_callback_info info) {
  napi_value argv[4];
  Array source, target;
  int64_t start = 0, end = 0;
  if (!readArguments(env, info, argv) || !readArray(env, argv[0], napi_uint8_array, source) ||
      napi_get_value_int64(env, argv[1], &start) != napi_ok ||
      napi_get_value_int64(env, argv[2], &end) != napi_ok ||
      !readArray(env, argv[3], napi_uint8_array, target)) {
    return throwRange(env, "decodeBase64: expected (Uint8Array, number, number, Uint8Array)");
  }
  if (start < 0 || end < start || static_cast<uint64_t>(end) > source.length) {
    return throwRange(env, "decodeBase64: expected 0 <= start <= end <= source.length");
  }
  const size_t size = static_cast<size_t>(end - start);
  const size_t written = decodeBase64(source.bytes() + start, size, target.bytes(), target.length,
                                      getState(env).kernel);
  return makeNumber(env, written == kNotBase64 ? -1 : static_cast<double>(written));
}

napi_value findMarker(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  Array array;
  int64_t from = 0;
  if (!readArguments(env, info, argv) || !readArray(env, argv[0], napi_uint8_array, array) ||
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

}  // namespace edge_infer
