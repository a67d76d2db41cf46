#pragma once

namespace edge_infer {

// The instructions that the arithmetic is done with; all give the same bytes.
enum class Kernel { scalar, avx2, avx512Vnni };

constexpr Kernel kKernels[] = {Kernel::avx512Vnni, Kernel::avx2, Kernel::scalar};  // fastest first

constexpr const char* nameOf(Kernel kernel) {
  switch (kernel) {
    case Kernel::avx512Vnni:
      return "AVX-512 VNNI";
    case Kernel::avx2:
      return "AVX2";
    default:
      return "scalar";
  }
}

// Whether this processor and its operating system have them.
inline bool isSupported(Kernel kernel) {
  switch (kernel) {
    case Kernel::avx512Vnni:
      return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw") &&
             __builtin_cpu_supports("avx512vl");
    case Kernel::avx2:
      return __builtin_cpu_supports("avx2");
    default:
      return true;
  }
}

inline Kernel fastestKernel() {
  for (const Kernel kernel : kKernels) {
    if (isSupported(kernel)) return kernel;
  }
  return Kernel::scalar;
}

}  // namespace edge_infer
