#include "base64.h"

#include <immintrin.h>

#include <array>
#include <cstring>

namespace edge_infer {
namespace {

constexpr uint8_t kSpace = 0xfe;
constexpr uint8_t kPadding = 0xfd;
constexpr uint8_t kOther = 0xff;

constexpr std::array<uint8_t, 256> makeValues() {
  std::array<uint8_t, 256> values{};
  for (auto& value : values) value = kOther;
  const char* alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (uint8_t i = 0; i < 64; i++) values[static_cast<uint8_t>(alphabet[i])] = i;
  values[' '] = kSpace;
  values['='] = kPadding;
  return values;
}

// By character: its six bits, or one of the three marks above. A raw line break is no JSON.
constexpr std::array<uint8_t, 256> kValues = makeValues();

int hexDigit(uint8_t c) {
  if (c >= '0' && c <= '9') return c - '0';
  const uint8_t lower = c | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

// Reads the escape after a backslash at `at` and moves `at` behind it.
uint8_t readEscape(const uint8_t* text, size_t size, size_t& at) {
  if (at + 1 >= size) return kOther;
  const uint8_t kind = text[at + 1];
  if (kind == '/') {
    at += 2;
    return kValues['/'];
  }
  if (kind == 'n' || kind == 'r' || kind == 't') {
    at += 2;
    return kSpace;
  }
  if (kind != 'u' || at + 6 > size) return kOther;
  int code = 0;
  for (size_t i = at + 2; i < at + 6; i++) {
    const int digit = hexDigit(text[i]);
    if (digit < 0) return kOther;
    code = code * 16 + digit;
  }
  at += 6;
  if (code == '\n' || code == '\r' || code == '\t') return kSpace;
  return code < 128 ? kValues[code] : kOther;
}

// Decodes whole blocks of 32 characters until one holds anything but the alphabet. The way of
// W. Mula and D. Lemire, "Faster Base64 Encoding and Decoding Using AVX2 Instructions" (2018):
// a character's two nibbles choose bits whose intersection is empty for the alphabet alone, and
// the high nibble chooses what is added to get its six bits.
__attribute__((target("avx2"))) void decodeBlocks(const uint8_t* text, size_t size, size_t& at,
                                                  uint8_t*& to, const uint8_t* end) {
  const __m256i lowBits = _mm256_setr_epi8(
      0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a,
      0x15, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x13, 0x1a, 0x1b, 0x1b, 0x1b, 0x1a);
  const __m256i highBits = _mm256_setr_epi8(
      0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10,
      0x10, 0x10, 0x01, 0x02, 0x04, 0x08, 0x04, 0x08, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x10);
  // By high nibble; "/" takes entry 1 instead of "+"'s 2.
  const __m256i shifts = _mm256_setr_epi8(
      0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0,
      0, 16, 19, 4, -65, -65, -71, -71, 0, 0, 0, 0, 0, 0, 0, 0);
  const __m256i slash = _mm256_set1_epi8('/');
  const __m256i nibble = _mm256_set1_epi8(0x0f);
  const __m256i packBytes = _mm256_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1,
                                             2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
  const __m256i packWords = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 7, 7);

  // 32 bytes are stored for the 24 of a block: the last characters are left to the plain loop.
  while (size - at >= 48 && end - to >= 32) {
    const __m256i in = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(text + at));
    const __m256i high = _mm256_and_si256(_mm256_srli_epi32(in, 4), nibble);
    const __m256i low = _mm256_and_si256(in, nibble);
    const __m256i clash =
        _mm256_and_si256(_mm256_shuffle_epi8(lowBits, low), _mm256_shuffle_epi8(highBits, high));
    if (!_mm256_testz_si256(clash, clash)) return;
    const __m256i entry = _mm256_add_epi8(high, _mm256_cmpeq_epi8(in, slash));
    const __m256i sixes = _mm256_add_epi8(in, _mm256_shuffle_epi8(shifts, entry));
    // Four times six bits to 24, then the three bytes of each into order.
    const __m256i twelves = _mm256_maddubs_epi16(sixes, _mm256_set1_epi32(0x01400140));
    const __m256i triples = _mm256_madd_epi16(twelves, _mm256_set1_epi32(0x00011000));
    const __m256i packed =
        _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(triples, packBytes), packWords);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), packed);
    at += 32;
    to += 24;
  }
}

}  // namespace

size_t decodeBase64(const uint8_t* text, size_t size, uint8_t* target, size_t targetSize,
                    Kernel kernel) {
  const uint8_t* end = target + targetSize;
  const bool useAvx2 = kernel != Kernel::scalar;  // every processor with AVX-512 has it
  uint8_t* to = target;
  size_t at = 0;
  uint32_t bits = 0;
  int held = 0;     // characters of the current four
  int padding = 0;  // "=" seen so far
  while (at < size) {
    if (useAvx2 && held == 0 && padding == 0 && size - at >= 48) {
      decodeBlocks(text, size, at, to, end);
    }
    uint8_t value = kValues[text[at]];
    if (value == kOther && text[at] == '\\') {
      value = readEscape(text, size, at);
    } else {
      at++;
    }
    if (value == kSpace) continue;
    if (value == kOther) return kNotBase64;
    if (value == kPadding) {
      if (held + padding < 2 || ++padding + held > 4) return kNotBase64;
      continue;
    }
    if (padding > 0) return kNotBase64;
    bits = bits << 6 | value;
    if (++held < 4) continue;
    if (end - to < 3) return kNotBase64;
    *to++ = static_cast<uint8_t>(bits >> 16);
    *to++ = static_cast<uint8_t>(bits >> 8);
    *to++ = static_cast<uint8_t>(bits);
    held = 0;
  }
  if (held == 0 && padding == 0) return static_cast<size_t>(to - target);
  if (held + padding != 4 || held < 2 || end - to < 3 - padding) return kNotBase64;
  bits <<= 6 * padding;
  *to++ = static_cast<uint8_t>(bits >> 16);
  if (padding == 1) *to++ = static_cast<uint8_t>(bits >> 8);
  return static_cast<size_t>(to - target);
}

}  // namespace edge_infer
