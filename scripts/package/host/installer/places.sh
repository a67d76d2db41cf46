# shellcheck shell=sh
# shellcheck disable=SC2034 # sourced: install.sh and its other parts use these
# Where everything lies, what exit codes mean, and how the installer speaks.

ROOT=/opt/edge-infer
RELEASES=$ROOT/releases
PENDING=$ROOT/pending
CONFIG=/etc/edge-infer/edge-infer.yaml
UNITS=/etc/systemd/system
LOCK=/run/edge-infer-install.lock
COMMAND=/usr/local/bin/edge-infer
RECORDS=/var/lib/edge-infer-records
LOG=/var/log/edge-infer-install.log

OK=0
USAGE=64
DATA=65
NO_INPUT=66
UNFIT=69
SELF_TEST=70
OS=71
BUSY=75
NO_PERMISSION=77
CONFIG_REFUSED=78
ROLLED_BACK=80
NOT_SERVING=81

STEP=0

# To the screen and the log; neither a closed terminal nor a full disk ends the run.
say() {
  printf '%s\n' "$*" 2>/dev/null || :
  log "$*"
}

log() {
  { printf '%s %s\n' "$(date '+%Y-%m-%dT%H:%M:%S%z')" "$*" >>"$LOG"; } 2>/dev/null || :
}

step() {
  STEP=$((STEP + 1))
  say "$STEP. $*"
}

# Each line of standard input, indented.
quote() {
  while IFS= read -r line || [ -n "$line" ]; do
    say "     $line"
  done
}

# fail CODE MESSAGE [REMEDY]
fail() {
  say "edge-infer: $2"
  [ -z "${3-}" ] || say "  mend: $3"
  exit "$1"
}

# The lock dies with its holder, and with whatever the holder had started: a killed run's tar must
# not write beside the next run's. util-linux has flock wherever there is systemd.
take_lock() {
  command -v flock >/dev/null || fail $UNFIT 'the program flock is missing' 'install util-linux from the medium of your distribution'
  { exec 9>>"$LOCK"; } 2>/dev/null || fail $OS "cannot write $LOCK" 'see that /run is writable and not full'
  if ! flock -n 9; then
    say "another run of the installer is at work, waiting up to $1 s for it to end"
    flock -w "$1" 9 || fail $BUSY "another run of the installer still holds $LOCK" "wait for it, or find it with: fuser -v $LOCK"
  fi
}

# write_file PATH: standard input becomes the file whole, or the file stays as it was.
write_file() {
  rm -f "$1.new" && cat >"$1.new" && sync "$1.new" && mv -f "$1.new" "$1"
}

# point LINK TARGET: the link changes in one rename.
point() {
  rm -f "$1.new" && ln -s "$2" "$1.new" && mv -T -f "$1.new" "$1" && sync "$(dirname "$1")"
}

# The release that a link names, nothing where there is none.
version_of() {
  if [ -d "$1/" ]; then
    basename "$(readlink "$1")"
  fi
}

# manifest RELEASE KEY: a text or number of its manifest, which has one key a line.
manifest() {
  sed -n 's/^ *"'"$2"'": *"\{0,1\}\([^",]*\)"\{0,1\},\{0,1\} *$/\1/p' "$1/MANIFEST.json" 2>/dev/null | head -n 1
}

is_version() {
  case $1 in
    '' | .* | -* | *[!0-9A-Za-z._-]*) return 1 ;;
  esac
}
