#pragma once
#include "buffer.h"
#include "plan.h"

namespace edge_infer {

// Pixels interleaved row by row, `stride` bytes from one row to the next.
struct Rows {
  const uint8_t* data;
  size_t stride;
};

// Fractional bits of the weights (src/imaging/coefficients.ts), and what rounds to the nearest.
constexpr int kPrecisionBits = 22;
constexpr int32_t kHalf = 1 << (kPrecisionBits - 1);

// A sum of samples by weights, kHalf included, as a sample.
inline uint8_t toSample(uint32_t sum) {
  const int32_t value = static_cast<int32_t>(sum) >> kPrecisionBits;
  return static_cast<uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

// The two passes of one image's resize, in the 8-bit fixed-point arithmetic of
// src/imaging/passes.ts. Each kernel has its own; their sums are the same numbers modulo 2^32,
// whatever the order of the terms, so their pixels are too.
class Passes {
 public:
  // Lays the weights out as the kernel wants them. The axis outlives the pass. False when the
  // system has no memory.
  virtual bool beginColumns(const Axis& axis, int channels) = 0;
  virtual bool beginRows(const Axis& axis) = 0;

  // The horizontal pass over `rows` rows; `source` starts at the axis's first source position.
  virtual void resizeColumns(Rows source, uint8_t* target, size_t targetStride, int rows) = 0;

  // Position `i` of the vertical pass, one row of `rowBytes` bytes; `source` starts at the axis's
  // first source position.
  virtual void resizeRow(Rows source, uint8_t* target, size_t rowBytes, int i) = 0;

  // Bytes that must be readable behind the last row given to resizeColumns: whole vectors are
  // loaded, and as many for each position as the longest needs.
  virtual size_t readSlack() const = 0;

  virtual void trim() = 0;

 protected:
  ~Passes() = default;
};

class ScalarPasses final : public Passes {
 public:
  bool beginColumns(const Axis& axis, int channels) override;
  bool beginRows(const Axis& axis) override;
  void resizeColumns(Rows source, uint8_t* target, size_t targetStride, int rows) override;
  void resizeRow(Rows source, uint8_t* target, size_t rowBytes, int i) override;
  size_t readSlack() const override { return 0; }
  void trim() override {}

 private:
  const Axis* x_ = nullptr;
  const Axis* y_ = nullptr;
  int channels_ = 0;
};

// The plain vertical pass of position `i` from byte `column` of the row on.
void resizeRowFrom(size_t column, const Axis& axis, Rows source, uint8_t* target, size_t rowBytes,
                   int i);

class Avx2Passes final : public Passes {
 public:
  bool beginColumns(const Axis& axis, int channels) override;
  bool beginRows(const Axis& axis) override;
  void resizeColumns(Rows source, uint8_t* target, size_t targetStride, int rows) override;
  void resizeRow(Rows source, uint8_t* target, size_t rowBytes, int i) override;
  size_t readSlack() const override;
  void trim() override;

 private:
  const Axis* x_ = nullptr;
  const Axis* y_ = nullptr;
  int channels_ = 0;
  // The weights as 16-bit halves.
  Buffer columnMemory_;
  int16_t* columnWeights_ = nullptr;
  int groups_ = 0;
  Buffer rowMemory_;
  int32_t* rowPairs_ = nullptr;
  int pairStride_ = 0;
};

// Four weights in signed digits of eight bits, one a byte: a weight is
// low + 2^8 * middle + 2^16 * high.
struct QuadWeights {
  int32_t low;
  int32_t middle;
  int32_t high;
};

class Avx512VnniPasses final : public Passes {
 public:
  bool beginColumns(const Axis& axis, int channels) override;
  bool beginRows(const Axis& axis) override;
  void resizeColumns(Rows source, uint8_t* target, size_t targetStride, int rows) override;
  void resizeRow(Rows source, uint8_t* target, size_t rowBytes, int i) override;
  size_t readSlack() const override;
  void trim() override;

 private:
  const Axis* x_ = nullptr;
  const Axis* y_ = nullptr;
  int channels_ = 0;
  Buffer columnMemory_;
  int columnQuads_ = 0;
  int32_t* firstQuads_ = nullptr;
  QuadWeights* columnWeights_ = nullptr;
  Buffer tileMemory_;
  uint8_t* tile_ = nullptr;
  Buffer rowMemory_;
  QuadWeights* rowWeights_ = nullptr;
  int rowQuads_ = 0;
};

}  // namespace edge_infer
