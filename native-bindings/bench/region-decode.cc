// The lower bound that preparation is held against: libjpeg-turbo decoding one region of a JPEG and
// nothing else. Prints the CPU milliseconds an image.
//
//     region-decode REPEATS (FILE X Y WIDTH HEIGHT)...

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <jpeglib.h>

namespace {

struct Photo {
  std::vector<unsigned char> bytes;
  JDIMENSION x, y, width, height;
};

std::vector<unsigned char> readFile(const char* path) {
  std::vector<unsigned char> bytes;
  FILE* file = std::fopen(path, "rb");
  if (file == nullptr) {
    std::perror(path);
    std::exit(66);
  }
  unsigned char block[65536];
  for (size_t got; (got = std::fread(block, 1, sizeof block, file)) > 0;) {
    bytes.insert(bytes.end(), block, block + got);
  }
  std::fclose(file);
  return bytes;
}

void decode(const Photo& photo, std::vector<unsigned char>& rows) {
  jpeg_decompress_struct info;
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&info);
  jpeg_mem_src(&info, photo.bytes.data(), photo.bytes.size());
  jpeg_read_header(&info, TRUE);
  info.out_color_space = JCS_RGB;
  jpeg_start_decompress(&info);
  JDIMENSION x = photo.x;
  JDIMENSION width = photo.width;
  if (width < info.image_width) jpeg_crop_scanline(&info, &x, &width);
  if (photo.y > 0) jpeg_skip_scanlines(&info, photo.y);
  constexpr JDIMENSION kBatch = 16;
  rows.resize(static_cast<size_t>(info.output_width) * 3 * kBatch);
  JSAMPROW pointers[kBatch];
  for (JDIMENSION i = 0; i < kBatch; i++) pointers[i] = rows.data() + i * info.output_width * 3;
  const JDIMENSION end = photo.y + photo.height;
  while (info.output_scanline < end) {
    const JDIMENSION rest = end - info.output_scanline;
    jpeg_read_scanlines(&info, pointers, rest < kBatch ? rest : kBatch);
  }
  jpeg_destroy_decompress(&info);
}

double cpuMs() {
  timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 7 || (argc - 2) % 5 != 0) {
    std::fprintf(stderr, "usage: region-decode REPEATS (FILE X Y WIDTH HEIGHT)...\n");
    return 64;
  }
  const auto number = [&](int i) { return static_cast<JDIMENSION>(std::stoul(argv[i])); };
  const JDIMENSION repeats = number(1);
  std::vector<Photo> photos;
  for (int i = 2; i < argc; i += 5) {
    photos.push_back({readFile(argv[i]), number(i + 1), number(i + 2), number(i + 3), number(i + 4)});
  }
  std::vector<unsigned char> rows;
  for (const Photo& photo : photos) decode(photo, rows);  // memory and caches warm
  const double before = cpuMs();
  for (JDIMENSION i = 0; i < repeats; i++) {
    for (const Photo& photo : photos) decode(photo, rows);
  }
  std::printf("%.4f\n", (cpuMs() - before) / (repeats * photos.size()));
  return 0;
}
