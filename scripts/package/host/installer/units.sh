# shellcheck shell=sh
# Unit files: those of the release that serves, the operator's own beside them, and the sockets'
# addresses as the configuration has them.

SERVICE=edge-infer.service
SOCKETS='edge-infer.socket edge-infer-admin.socket'
ADDRESS_FILE=10-address.conf

# The unit files of a release, as paths under /etc/systemd/system. The self-test's is only borrowed.
unit_files() {
  for path in "$1"/systemd/*.service "$1"/systemd/*.socket; do
    case $path in
      *selftest@.service | *\**) ;;
      *) basename "$path" ;;
    esac
  done
  # Older ones warn of keys that they do not know.
  if [ -e "$1/systemd/slower-restarts.conf" ] && [ "$(number "$(systemd_version)")" -ge 254 ]; then
    echo $SERVICE.d/20-slower-restarts.conf
  fi
  if has_nvidia_card; then
    for path in "$1"/systemd/gpu/*.conf; do
      [ ! -e "$path" ] || echo "$(basename "$path" .conf).d/20-gpu.conf"
    done
  fi
}

# unit_source RELEASE UNIT-FILE: where the release has it.
unit_source() {
  case $2 in
    */20-gpu.conf) echo "$1/systemd/gpu/${2%.d/*}.conf" ;;
    */20-*) echo "$1/systemd/${2#*/20-}" ;;
    *) echo "$1/systemd/$2" ;;
  esac
}

# By its PCI vendor and class (display controllers), so a driver need not be loaded yet.
has_nvidia_card() {
  for device in /sys/bus/pci/devices/*; do
    if [ "$(cat "$device/vendor" 2>/dev/null)" = 0x10de ]; then
      case $(cat "$device/class" 2>/dev/null) in
        0x03*) return 0 ;;
      esac
    fi
  done
  return 1
}

# Units to be enabled: those that are not there yet. Of the others the operator has decided.
new_units() {
  for file in $(unit_files "$1"); do
    if [ ! -e "$UNITS/$file" ] && grep -q '^\[Install\]' "$(unit_source "$1" "$file")"; then
      echo "$file"
    fi
  done
}

# Whether units or addresses would change with this release.
units_differ() {
  for file in $(unit_files "$1"); do
    cmp -s "$(unit_source "$1" "$file")" "$UNITS/$file" || return 0
  done
  [ -n "$(foreign_units "$1")" ] || addresses_differ
}

addresses_differ() {
  for socket in $SOCKETS; do
    wanted=$(wanted_address "$socket")
    [ -z "$wanted" ] || [ "$(address_of "$socket")" = "$wanted" ] || return 0
  done
  return 1
}

# Units of other releases that this one does not have.
foreign_units() {
  for folder in "$RELEASES"/*/; do
    for file in $(unit_files "${folder%/}"); do
      if [ ! -e "$(unit_source "$1" "$file")" ] && [ -e "$UNITS/$file" ]; then
        echo "$file"
      fi
    done
  done | sort -u
}

# apply_units RELEASE
apply_units() {
  for file in $(foreign_units "$1"); do
    case $file in
      */*) ;;
      *) systemctl disable --now "$file" >/dev/null 2>&1 ;;
    esac
    keep_edited "$file"
    rm -f "$UNITS/$file" || return 1
  done
  for file in $(unit_files "$1"); do
    if ! cmp -s "$(unit_source "$1" "$file")" "$UNITS/$file"; then
      tell_socket_change "$file"
      if ! keep_edited "$file" || ! mkdir -p "$(dirname "$UNITS/$file")" || ! write_file "$UNITS/$file" <"$(unit_source "$1" "$file")"; then
        return 1
      fi
    fi
  done
  for socket in $SOCKETS; do
    write_address "$socket" || return 1
  done
  systemctl daemon-reload
}

# An open socket keeps the settings that it was opened with; opened anew it would refuse who calls meanwhile.
tell_socket_change() {
  case $1 in
    *.socket) systemctl is-active --quiet "$1" || return 0 ;;
    *) return 0 ;;
  esac
  say "     $1 has other settings now. They count from the next boot on, or, with a moment of refused connections, after:"
  say "       systemctl stop $SERVICE $SOCKETS; systemctl start $SOCKETS $SERVICE"
}

# A unit that is no release's was edited by hand: it is kept under a name that systemd passes over.
keep_edited() {
  [ -e "$UNITS/$1" ] || return 0
  for folder in "$RELEASES"/*/; do
    if cmp -s "$(unit_source "${folder%/}" "$1")" "$UNITS/$1"; then
      return 0
    fi
  done
  sum=$(sha256sum "$UNITS/$1" | cut -c 1-8)
  kept=$UNITS/$1.edited-$sum
  [ -e "$kept" ] || write_file "$kept" <"$UNITS/$1" || return 1
  say "     $UNITS/$1 was edited by hand: kept as $kept, and replaced"
  say "       put what you need of it into a drop-in, which no upgrade touches: systemctl edit $(echo "$1" | sed 's|\.d/.*||')"
}

# Where a socket listens, as installed.
address_of() {
  sed -n 's/^ListenStream=\(..*\)/\1/p' "$UNITS/$1.d/$ADDRESS_FILE" 2>/dev/null | tail -n 1
}

wanted_address() {
  case $1 in
    edge-infer.socket) echo "$SERVICE_ADDRESS" ;;
    *) echo "$ADMIN_ADDRESS" ;;
  esac
}

address_text() {
  printf '%s\n' '# Written by install.sh from host and port of the configuration, which is the place to change them;' \
    '# then run install.sh again. It replaces this file: settings of your own go into another one.' \
    '[Socket]' 'ListenStream=' "ListenStream=$1"
}

write_address() {
  file=$1.d/$ADDRESS_FILE
  address=$(wanted_address "$1")
  [ -n "$address" ] || return 0
  text=$(address_text "$address")
  if [ "$(cat "$UNITS/$file" 2>/dev/null)" != "$text" ]; then
    if [ -e "$UNITS/$file" ] && [ "$(cat "$UNITS/$file")" != "$(address_text "$(address_of "$1")")" ]; then
      keep_edited "$file" || return 1
    fi
    mkdir -p "$UNITS/$1.d" && printf '%s\n' "$text" | write_file "$UNITS/$file"
  fi
}

# read_addresses RELEASE CONFIG: sets SERVICE_ADDRESS and ADMIN_ADDRESS, or tells every mistake of the
# configuration and returns 1.
read_addresses() {
  shown=$("$1/bin/edge-infer" config show --json --config "$2" </dev/null 2>&1) || {
    printf '%s\n' "$shown" | quote
    return 1
  }
  addresses=$(printf '%s\n' "$shown" | "$1/runtime/node" "$1/installer/addresses.mjs" 2>&1) || {
    printf '%s\n' "$addresses" | quote
    return 1
  }
  SERVICE_ADDRESS=$(echo "$addresses" | sed -n 1p)
  ADMIN_ADDRESS=$(echo "$addresses" | sed -n 2p)
}

# check_ports: whether somebody else listens where the sockets shall. Tells all, returns 1 if so.
check_ports() {
  taken=0
  for socket in $SOCKETS; do
    address=$(wanted_address "$socket")
    if ! is_ours "$address" && owner=$(find_listener "${address##*:}" "${address%:*}"); then
      taken=1
      bad port "$address is taken by $owner" "stop that program, or set another $(port_key "$socket") in the configuration"
    fi
  done
  return $taken
}

# Whether one of our sockets listens there already.
is_ours() {
  for ours in $SOCKETS; do
    if [ "$(address_of "$ours")" = "$1" ] && systemctl is-active --quiet "$ours"; then
      return 0
    fi
  done
  return 1
}

port_key() {
  case $1 in
    edge-infer.socket) echo port ;;
    *) echo admin.port ;;
  esac
}

# find_listener PORT HOST: who listens on that port, on the same address or on all of them. Read from
# /proc, since a minimal host has no ss.
find_listener() {
  port=$(printf '%04X' "$1")
  case $2 in
    0.0.0.0 | \[*) host='[0-9A-F]*' ;; # of IPv6 only the port is compared
    *) host="\\(0*\\|[0F]*$(echo "$2" | reverse_hex)\\)" ;;
  esac
  inode=$(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | grep "^ *[0-9]*: $host:$port [0-9A-F]*:0000 0A " | head -n 1 | tr -s ' ' | sed 's/^ //' | cut -d ' ' -f 10)
  [ -n "$inode" ] || return 1
  link=$(find /proc/[0-9]*/fd -lname "socket:\\[$inode\\]" 2>/dev/null | head -n 1)
  pid=${link#/proc/}
  pid=${pid%%/*}
  if [ -n "$pid" ]; then
    echo "$(cat "/proc/$pid/comm") (process $pid)"
  else
    echo 'a program that cannot be seen from here'
  fi
}

# 127.0.0.1 as /proc/net/tcp writes it.
reverse_hex() {
  IFS=. read -r a b c d
  printf '%02X%02X%02X%02X' "$d" "$c" "$b" "$a"
}
