# shellcheck shell=sh
# What a host must have. Every check is made and told, with how to mend what is wrong.

PROBLEMS=0

# The oldest systemd of the distributions that have the glibc the programs need (RHEL 8 has 239). What
# the units cannot do without (DynamicUser=, StateDirectory=, EXTEND_TIMEOUT_USEC) came with 236;
# older ones than 247 leave some of the hardening out and say so in the journal.
SYSTEMD_NEEDED=239
SYSTEMD_WHOLE=247

good() { say "$(printf '   ok    %-13s %s' "$1" "$2")"; }
note() {
  say "$(printf '   note  %-13s %s' "$1" "$2")"
  [ -z "${3-}" ] || say "                       $3"
}
bad() {
  PROBLEMS=$((PROBLEMS + 1))
  say "$(printf '   FAIL  %-13s %s' "$1" "$2")"
  say "                  mend: $3"
}

# check_host RELEASE: reads what it needs from the folder's manifest, and runs nothing of it.
check_host() {
  PROBLEMS=0
  check_user
  check_architecture "$1"
  check_cpu_flags "$1"
  check_glibc "$1"
  check_programs
  check_systemd
  check_memory "$1"
  check_disk "$1"
  check_places
  check_clock "$1"
  check_confinement
  check_gpu "$1"
}

check_user() {
  if [ "$(id -u)" = 0 ]; then
    good user root
  else
    bad user "$(id -un), needed: root" "run it with sudo"
  fi
}

check_architecture() {
  needed=$(manifest "$1" architecture)
  if [ "$(uname -m)" = "$needed" ]; then
    good architecture "$needed"
  else
    bad architecture "$(uname -m), needed: $needed" 'ask your vendor for the archive of this architecture'
  fi
}

check_cpu_flags() {
  have=" $(sed -n 's/^flags[^:]*: *//p' /proc/cpuinfo | head -n 1) "
  lacking=
  for flag in $(manifest_list "$1" cpuFlags); do
    case $have in
      *" $flag "*) ;;
      *) lacking="$lacking $flag" ;;
    esac
  done
  if [ -z "$lacking" ]; then
    good processor 'has the instructions that the programs use'
  else
    bad processor "lacks$lacking" 'in a virtual machine set its CPU type to host (or x86-64-v2 at least); else use a newer machine'
  fi
}

# The texts of a list in the manifest, which has one a line.
manifest_list() {
  sed -n '/^ *"'"$2"'": *\[/,/\]/p' "$1/MANIFEST.json" 2>/dev/null | sed '1s/^[^[]*\[//' | tr -d '[]", \t'
}

check_glibc() {
  needed=$(manifest "$1" glibc)
  have=$(getconf GNU_LIBC_VERSION 2>/dev/null | sed 's/^glibc //')
  if [ -z "$have" ]; then
    bad glibc "none found, needed: $needed" 'musl systems (Alpine) cannot run it; use Debian, Ubuntu, RHEL, SUSE or one made from them'
  elif is_at_least "$have" "$needed"; then
    good glibc "$have"
  else
    bad glibc "$have, needed: $needed" 'upgrade the distribution'
  fi
  for library in $(manifest_list "$1" libraries); do
    has_library "$library" || bad library "$library is missing" "install the package that has it from your distribution's medium (libstdc++.so.6: libstdc++6 or libstdc++)"
  done
}

has_library() {
  for folder in /lib64 /usr/lib64 /lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu /lib /usr/lib; do
    [ ! -e "$folder/$1" ] || return 0
  done
  ldconfig -p 2>/dev/null | grep -qF "$1 "
}

# is_at_least HAVE NEEDED: versions of numbers and dots.
is_at_least() {
  [ "$(printf '%s\n%s\n' "$1" "${2:-0}" | sort -t . -k 1,1n -k 2,2n -k 3,3n | head -n 1)" = "${2:-0}" ] || [ "$1" = "${2:-0}" ]
}

check_programs() {
  for program in systemctl flock tar gzip sha256sum findmnt timeout; do
    command -v "$program" >/dev/null ||
      bad program "$program is missing" "install it from your distribution's medium (coreutils, util-linux, tar, gzip, systemd)"
  done
}

check_systemd() {
  if [ ! -d /run/systemd/system ]; then
    bad systemd 'is not process 1 here' 'install on the host itself, not in a container without systemd'
    return
  fi
  have=$(systemd_version)
  if [ "${have:-0}" -lt $SYSTEMD_NEEDED ]; then
    bad systemd "${have:-unknown}, needed: $SYSTEMD_NEEDED" 'upgrade the distribution'
  elif [ "$have" -lt $SYSTEMD_WHOLE ]; then
    note systemd "$have: part of the hardening needs $SYSTEMD_WHOLE and is left out"
  else
    good systemd "$have"
  fi
}

systemd_version() { systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p'; }

check_memory() {
  needed=$(($(number "$(manifest "$1" memoryBytes)") / 1048576))
  have=$(($(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo) / 1024))
  if [ "$have" -ge "$needed" ]; then
    good memory "$have MiB available, $needed needed"
  else
    bad memory "$have MiB available, needed: $needed" 'stop what is not needed, or add memory'
  fi
}

# What is missing of a release, unpacked beside those that are there.
check_disk() {
  needed=$(($(number "$(manifest "$1" diskBytes)") / 1048576 + 64))
  place=$(existing_folder "$ROOT")
  have=$(($(free_kib "$place") / 1024))
  if is_installed_copy "$1"; then
    good disk "$have MiB free in $place, nothing is unpacked"
  elif [ "$have" -ge "$needed" ]; then
    good disk "$have MiB free in $place, $needed needed"
  else
    bad disk "$have MiB free in $place, needed: $needed" "make room there: du -xh $place | sort -h | tail shows what fills it"
  fi
}

free_kib() {
  # shellcheck disable=SC2046 # two numbers
  set -- $(stat -f -c '%a %S' "$1" 2>/dev/null)
  echo $((${1:-0} * (${2:-0} / 512) / 2))
}

number() {
  case $1 in
    '' | *[!0-9]*) echo 0 ;;
    *) echo "$1" ;;
  esac
}

existing_folder() {
  folder=$1
  while [ ! -d "$folder" ]; do
    folder=$(dirname "$folder")
  done
  echo "$folder"
}

is_installed_copy() {
  case $(readlink -f "$1") in
    "$RELEASES"/.*) return 1 ;;
    "$RELEASES"/*) ;;
    *) return 1 ;;
  esac
}

check_places() {
  place=$(existing_folder "$ROOT")
  case ,$(findmnt -n -o OPTIONS -T "$place" | tail -n 1), in
    *,noexec,*) bad places "$place is mounted noexec: programs there cannot run" "mount -o remount,exec \"\$(findmnt -n -o TARGET -T $place)\", and in /etc/fstab" ;;
  esac
  for folder in "$ROOT" "$UNITS" "$(dirname "$CONFIG")" /var/lib /usr/local/bin; do
    place=$(existing_folder "$folder")
    case ,$(findmnt -n -o OPTIONS -T "$place" | tail -n 1), in
      *,ro,*)
        remedy="mount -o remount,rw \"\$(findmnt -n -o TARGET -T $place)\""
        if needs_writing "$folder"; then
          bad places "$place is mounted read-only" "$remedy"
        else
          note places "$place is mounted read-only; nothing has to change there now, so it is left so" "else: $remedy"
        fi
        ;;
    esac
  done
}

# An upgrade changes nothing in /etc unless the units differ, which it finds out, and says, before it
# switches.
needs_writing() {
  case $1 in
    /etc/* | /usr/local/bin) [ ! -e "$UNITS/edge-infer.service" ] || [ ! -e "$CONFIG" ] ;;
  esac
}

check_clock() {
  built=$(manifest "$1" built)
  now=$(date -u '+%Y-%m-%dT%H:%M:%S')
  # Both ISO 8601 in UTC, so their order as text is their order in time.
  if [ "$(printf '%s\n%s\n' "$now" "$built" | sort | head -n 1)" = "$now" ]; then
    note clock "says $now, before this release was built; a trial cannot count its days" "mend: timedatectl set-time 'YYYY-MM-DD HH:MM:SS' (UTC), or the clock in the firmware"
  else
    good clock "$now UTC"
  fi
}

check_confinement() {
  if [ "$(cat /sys/fs/selinux/enforce 2>/dev/null)" = 1 ]; then
    note SELinux 'is enforcing; files get the labels of their place' 'if the service is denied something: ausearch -m avc -ts recent'
  fi
  if [ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ]; then
    note AppArmor 'is on; no profile of a distribution covers edge-infer' 'if you have one of your own, it must allow /opt/edge-infer, /var/lib/edge-infer and /etc/edge-infer'
  fi
}

# A driver that is there is never refused or touched.
check_gpu() {
  driver=$(sed -n 's/^NVRM version:.* \([0-9][0-9]*\.[0-9.]*\) .*/\1/p' /proc/driver/nvidia/version 2>/dev/null | head -n 1)
  flavor=$(manifest "$1" flavor)
  needed=$(manifest "$1" nvidiaDriver)
  if [ "$flavor" = cpu ]; then
    note GPU "${driver:+NVIDIA driver $driver is there and stays as it is; }this archive computes on the CPU"
  elif [ -z "$driver" ]; then
    note GPU 'no NVIDIA driver is loaded: it computes on the CPU until one is' 'install the driver of your distribution; nothing else is needed'
  elif is_at_least "$driver" "$needed"; then
    good GPU "NVIDIA driver $driver"
  else
    note GPU "NVIDIA driver $driver is older than $needed: it computes on the CPU" "upgrade the driver when it suits you"
  fi
}
