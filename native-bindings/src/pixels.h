#pragma once
#include <cstddef>
#include <cstdint>

namespace edge_infer {

// Per-pixel arithmetic of Pillow's conversions; the twins of src/imaging/colour.ts, which names
// their sources.

// `count` RGB pixels to one grey byte each.
void rgbToGrey(const uint8_t* rgb, uint8_t* grey, size_t count);

// `count` CMYK pixels as libjpeg hands them out (255 is no ink) to RGB.
void invertedCmykToRgb(const uint8_t* cmyk, uint8_t* rgb, size_t count);

// Turns and mirrors `width` x `height` pixels by an EXIF orientation from 2 to 8; from 5 on the
// sides change places.
void orient(const uint8_t* source, int width, int height, int channels, int orientation,
            uint8_t* target);

}  // namespace edge_infer
