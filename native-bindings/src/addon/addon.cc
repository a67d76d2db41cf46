// What the addon exports, and what one thread of it begins with.

#include <node_api.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "entry-points.h"
#include "state.h"
#include "values.h"

namespace edge_infer {

napi_value useKernel(napi_env env, napi_callback_info info) {
  napi_value argv[1];
  char name[32];
  size_t length = 0;
  if (!readArguments(env, info, argv) ||
      napi_get_value_string_utf8(env, argv[0], name, sizeof name, &length) != napi_ok) {
    return throwRange(env, "useKernel: expected (string)");
  }
  for (const Kernel kernel : kKernels) {
    if (std::strcmp(name, nameOf(kernel)) != 0 || !isSupported(kernel)) continue;
    State& state = getState(env);
    state.kernel = kernel;
    state.resampler.setKernel(kernel);
    return nullptr;
  }
  return throwRange(env, "useKernel: expected one of the kernels that this processor has");
}

namespace {

// Raised with every change of the functions; the loader refuses another.
constexpr int kApiVersion = 5;

// Names of the kernels that this processor has, the fastest first; it is in use from the start.
napi_value listKernels(napi_env env) {
  napi_value names = nullptr;
  napi_create_array(env, &names);
  uint32_t count = 0;
  for (const Kernel kernel : kKernels) {
    if (!isSupported(kernel)) continue;
    napi_set_element(env, names, count++, makeString(env, nameOf(kernel)));
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
  exportFunction(env, exports, "sendDatagram", sendDatagram);
  exportFunction(env, exports, "useKernel", useKernel);
#ifdef EDGE_INFER_PLANTED_FAULT
  exportFunction(env, exports, "readBeyondItsEnd", readBeyondItsEnd);
#endif
  return exports;
}
