#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace edge_infer {

// What is kept of one buffer between images; a larger one is given back after its image.
constexpr size_t kKeptBytes = 8 * 1024 * 1024;

// Memory used again for image after image.
class Buffer {
 public:
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer() { std::free(data_); }

  // At least `size` bytes of unknown content, or null when the system has no memory.
  uint8_t* take(size_t size) {
    if (data_ != nullptr && size <= capacity_) return data_;
    std::free(data_);
    capacity_ = 0;
    data_ = static_cast<uint8_t*>(std::malloc(size == 0 ? 1 : size));
    if (data_ != nullptr) capacity_ = size;
    return data_;
  }

  void trim() {
    if (capacity_ <= kKeptBytes) return;
    std::free(data_);
    data_ = nullptr;
    capacity_ = 0;
  }

 private:
  uint8_t* data_ = nullptr;
  size_t capacity_ = 0;
};

}  // namespace edge_infer
