#pragma once
#include <node_api.h>

#include <cstddef>
#include <cstdint>

namespace edge_infer {

// A typed array's memory, which is the caller's.
struct Array {
  napi_typedarray_type type = napi_uint8_array;
  size_t length = 0;  // elements
  void* data = nullptr;

  uint8_t* bytes() const { return static_cast<uint8_t*>(data); }
};

// False for anything but a typed array.
inline bool readArray(napi_env env, napi_value value, Array& array) {
  bool isArray = false;
  if (napi_is_typedarray(env, value, &isArray) != napi_ok || !isArray) return false;
  return napi_get_typedarray_info(env, value, &array.type, &array.length, &array.data, nullptr,
                                  nullptr) == napi_ok;
}

inline bool readArray(napi_env env, napi_value value, napi_typedarray_type type, Array& array) {
  return readArray(env, value, array) && array.type == type;
}

// False when the call has another number of arguments than `argv` has places.
template <size_t count>
bool readArguments(napi_env env, napi_callback_info info, napi_value (&argv)[count]) {
  size_t argc = count;
  return napi_get_cb_info(env, info, &argc, argv, nullptr, nullptr) == napi_ok && argc == count;
}

inline napi_value makeNumber(napi_env env, double value) {
  napi_value number = nullptr;
  napi_create_double(env, value, &number);
  return number;
}

inline napi_value makeNull(napi_env env) {
  napi_value nothing = nullptr;
  napi_get_null(env, &nothing);
  return nothing;
}

inline napi_value makeString(napi_env env, const char* text) {
  napi_value string = nullptr;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &string);
  return string;
}

// Wrong arguments: a fault of the program.
inline napi_value throwRange(napi_env env, const char* message) {
  napi_throw_range_error(env, nullptr, message);
  return nullptr;
}

inline napi_value throwError(napi_env env, const char* message) {
  napi_throw_error(env, nullptr, message);
  return nullptr;
}

}  // namespace edge_infer
