#include "tensor.h"

namespace edge_infer {
namespace {

// The elements are moved as bits: a float's 32, a half's 16.
template <typename Element>
void fill(const uint8_t* crop, size_t pixelCount, int channels, const TensorFormat& format,
          Element* target) {
  const Element* table = static_cast<const Element*>(format.table);
  if (channels == 1) {
    for (size_t i = 0; i < pixelCount; i++) target[i] = table[crop[i]];
    return;
  }
  for (int channel = 0; channel < 3; channel++) {
    const uint8_t* from = crop + (format.isBgr ? 2 - channel : channel);
    const Element* values = table + 256 * channel;
    if (format.isNhwc) {
      for (size_t i = 0; i < pixelCount; i++) target[i * 3 + channel] = values[from[i * 3]];
    } else {
      Element* plane = target + channel * pixelCount;
      for (size_t i = 0; i < pixelCount; i++) plane[i] = values[from[i * 3]];
    }
  }
}

}  // namespace

void fillTensor(const uint8_t* crop, size_t pixelCount, int channels, const TensorFormat& format,
                void* target) {
  switch (format.elementBytes) {
    case 4:
      return fill(crop, pixelCount, channels, format, static_cast<uint32_t*>(target));
    case 2:
      return fill(crop, pixelCount, channels, format, static_cast<uint16_t*>(target));
    default:
      return fill(crop, pixelCount, channels, format, static_cast<uint8_t*>(target));
  }
}

}  // namespace edge_infer
