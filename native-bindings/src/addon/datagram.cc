#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>

#include "entry-points.h"
#include "values.h"

namespace edge_infer {

napi_value sendDatagram(napi_env env, napi_callback_info info) {
  napi_value argv[2];
  Array message;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  // One byte more than fits tells a path that is too long from one that just fits.
  char path[sizeof address.sun_path + 1];
  size_t length = 0;
  if (!readArguments(env, info, argv) ||
      napi_get_value_string_utf8(env, argv[0], path, sizeof path, &length) != napi_ok ||
      !readArray(env, argv[1], napi_uint8_array, message)) {
    return throwRange(env, "sendDatagram: expected (string, Uint8Array)");
  }
  if (length == 0 || length >= sizeof address.sun_path) return makeNumber(env, ENAMETOOLONG);
  std::memcpy(address.sun_path, path, length);
  size_t addressBytes = offsetof(sockaddr_un, sun_path) + length;
  if (path[0] == '@') {
    address.sun_path[0] = 0;  // an abstract name: exactly these bytes
  } else {
    addressBytes++;  // with its final zero
  }

  const int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return makeNumber(env, errno);
  ssize_t sent;
  do {
    sent = sendto(descriptor, message.data, message.length, MSG_DONTWAIT | MSG_NOSIGNAL,
                  reinterpret_cast<const sockaddr*>(&address),
                  static_cast<socklen_t>(addressBytes));
  } while (sent < 0 && errno == EINTR);
  const int error = sent < 0 ? errno : 0;
  close(descriptor);
  return makeNumber(env, error);
}

}  // namespace edge_infer
