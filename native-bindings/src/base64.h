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
// Returns how many bytes were written, or kNotBase64, which text longer than `target` is too.
size_t decodeBase64(const uint8_t* text, size_t size, uint8_t* target, size_t targetSize,
                    Kernel kernel);

}  // namespace edge_infer
