#pragma once
#include <cstddef>
#include <cstdint>

#include "kernel.h"

namespace edge_infer {

constexpr size_t kNotBase64 = SIZE_MAX;

// Decodes standard, padded base64 as it stands inside a JSON string: white space is skipped, raw
// or escaped (\n, \r, \t, \u0020 ...), and so are the escapes that clients write for "/", "+"
// and "=". Spare bits before the padding are ignored.
//
// `target` holds at least size / 4 * 3 + 3 bytes. Returns how many were written, or kNotBase64.
size_t decodeBase64(const uint8_t* text, size_t size, uint8_t* target, Kernel kernel);

}  // namespace edge_infer
