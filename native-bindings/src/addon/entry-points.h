#pragma once
#include <node_api.h>

// The functions that the addon exports. Arguments are checked here, so that the kernels can trust
// them. Wrong ones are a fault of the program and throw; files that cannot be decoded are told in
// the result. src/platform/native-bindings.ts holds the same signatures as types.
namespace edge_infer {

// decodeBase64(source: Uint8Array, start, end, target: Uint8Array): bytes written, or -1
napi_value decodeBase64Call(napi_env env, napi_callback_info info);

// findMarker(bytes: Uint8Array, from): where the code of the next JPEG marker stands, or -1; stuffed
// (FF00) and filling (FFFF) bytes are passed over
napi_value findMarker(napi_env env, napi_callback_info info);

// prepareJpeg(bytes: Uint8Array, ...job): milliseconds of decoding; null for damaged data, which the
// portable way has to decide on; or a sentence on why it cannot be decoded
napi_value prepareJpeg(napi_env env, napi_callback_info info);

// preparePng(bytes: Uint8Array, pieces: Uint32Array, colourType, bitDepth, palette: Uint8Array,
// ...job): milliseconds of decoding; null for anything but exactly the rows, undamaged, which the
// portable way has to decide on
napi_value preparePng(napi_env env, napi_callback_info info);

// preparePixels(data: Uint8Array, ...job): decoded pixels `[H, W, C]` of the plan's channels
napi_value preparePixels(napi_env env, napi_callback_info info);

// sendDatagram(address: string, message: Uint8Array): sends to a unix socket, an abstract one when the
// address begins with @, without ever waiting; 0 or errno
napi_value sendDatagram(napi_env env, napi_callback_info info);

// useKernel(name: string): takes one of `kernels` from now on; for tests and benchmarks
napi_value useKernel(napi_env env, napi_callback_info info);

}  // namespace edge_infer
