#!/bin/sh
# Installs, upgrades, rolls back and removes edge-infer on this host. README.md beside it says how.
set -u
umask 022
export LC_ALL=C PATH="${PATH:-/usr/sbin:/usr/bin:/sbin:/bin}"

HERE=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P) || exit 70
# shellcheck source=installer/places.sh
. "$HERE/installer/places.sh"
# shellcheck source=installer/host-checks.sh
. "$HERE/installer/host-checks.sh"
# shellcheck source=installer/release.sh
. "$HERE/installer/release.sh"
# shellcheck source=installer/units.sh
. "$HERE/installer/units.sh"
# shellcheck source=installer/switch.sh
. "$HERE/installer/switch.sh"
# shellcheck source=installer/uninstall.sh
. "$HERE/installer/uninstall.sh"

usage() {
  cat <<'END'
Usage: sh install.sh [OPTION...] [ARCHIVE.tar.gz]

Installs or upgrades edge-infer: the archive, else the release that this script lies in. Any run can be
cut off and repeated; what serves goes on serving until its successor has proved itself.

  --check          look at the host and change nothing
  --license FILE   install this licence, too
  --config FILE    the configuration of a first installation; without it a template that serves an
                   ImageNet model on 127.0.0.1:24401
  --rollback       go back to the release before this one
  --uninstall      remove the program; configuration, licences and models stay
  --purge          with --uninstall: remove those, too
  --yes            ask nothing
  --help           this text

Examples:
  sudo sh install.sh --check
  sudo sh install.sh --license imagenet.lic --config edge-infer.yaml --yes
  sudo sh /opt/edge-infer/current/install.sh edge-infer-0.2.0-cpu.tar.gz

Exit codes: 0 done; 64 wrong usage; 65 archive damaged or not your vendor's; 66 file not found; 69 the
host lacks something; 70 the new release failed its self-test; 71 the system refused something (disk full,
read-only); 75 another run is at work; 77 not root, or the licence is refused; 78 configuration refused;
80 the new release was not well, the one before serves again; 81 no release is well.
END
}

main() {
  mode=install purge=no yes=no license='' config='' source=''
  while [ $# -gt 0 ]; do
    case $1 in
      --check) set_mode check ;;
      --rollback) set_mode rollback ;;
      --uninstall) set_mode uninstall ;;
      --confirm) set_mode confirm ;; # edge-infer-confirm.service's own
      --purge) purge=yes ;;
      --yes | -y) yes=yes ;;
      --license=*) license=${1#*=} ;;
      --config=*) config=${1#*=} ;;
      --license | --config)
        [ $# -ge 2 ] || fail $USAGE "$1 needs a file" 'sh install.sh --help'
        if [ "$1" = --license ]; then license=$2; else config=$2; fi
        shift
        ;;
      --help | -h)
        usage
        exit $OK
        ;;
      -*) fail $USAGE "unknown option $1" 'sh install.sh --help' ;;
      *)
        [ -z "$source" ] || fail $USAGE "one archive at a time, received $source and $1" 'sh install.sh --help'
        source=$1
        ;;
    esac
    shift
  done
  [ "$purge" = no ] || [ "$mode" = uninstall ] || fail $USAGE '--purge goes with --uninstall' 'sh install.sh --help'
  if [ -n "$source$license$config" ] && [ "$mode" != install ] && [ "$mode" != check ]; then
    fail $USAGE "--$mode takes no archive, licence or configuration" 'sh install.sh --help'
  fi
  for file in "$source" "$license" "$config"; do
    [ -z "$file" ] || [ -r "$file" ] || fail $NO_INPUT "cannot read $file" 'name a file that is there'
  done
  # What this shell happens to have set is nothing to the service.
  for name in $(env | sed -n 's/^\(EDGE_INFER_[A-Z0-9_]*\|NODE_[A-Z_]*\)=.*/\1/p'); do
    unset "$name"
  done

  if [ "$mode" = check ]; then
    run_check
    return
  fi
  [ "$(id -u)" = 0 ] || fail $NO_PERMISSION "needs root, this is $(id -un)" 'run it with sudo'
  log "---- install.sh --$mode $source"
  case $mode in
    install) run_install ;;
    rollback) run_rollback ;;
    uninstall) run_uninstall ;;
    confirm) run_confirm ;;
  esac
}

set_mode() {
  [ "$mode" = install ] || fail $USAGE "--$mode and --$1 exclude each other" 'sh install.sh --help'
  mode=$1
}

run_check() {
  release=$HERE
  if [ -n "$source" ] && [ ! -d "$source" ]; then
    release=$(mktemp -d) || fail $OS 'no temporary folder could be made' 'see that /tmp is writable'
    trap 'rm -rf "$release"' EXIT
    read_manifest "$source" "$release"
  fi
  say "This host, for edge-infer $(manifest "$release" version):"
  check_host "$release"
  check_configuration
  [ $PROBLEMS = 0 ] || fail $UNFIT "$PROBLEMS to mend (marked FAIL); nothing was changed"
  say 'This host is fit.'
}

# Needs a program to read the configuration with: that of an installed release, else that of the folder.
check_configuration() {
  reader=$(installed_release)
  [ -n "$reader" ] || ! "$HERE/runtime/node" --version >/dev/null 2>&1 || reader=$HERE
  file=$(choose_config "$HERE")
  if [ -z "$reader" ]; then
    note configuration 'is read after unpacking: no program can run from this folder'
  elif told=$(read_addresses "$reader" "$file"); then
    read_addresses "$reader" "$file"
    ! check_ports || good ports "$SERVICE_ADDRESS and $ADMIN_ADDRESS are free or ours"
  else
    printf '%s\n' "$told"
    bad configuration "$file is refused, for the reasons above" 'mend it there'
  fi
}

# The file that will count: what the operator has, what was named, or the template.
choose_config() {
  if [ -e "$CONFIG" ] && { [ -z "$config" ] || [ -e "$ROOT/current" ]; }; then
    echo "$CONFIG"
  else
    echo "${config:-$1/config/edge-infer.yaml}"
  fi
}

run_install() {
  take_lock 300
  finish_interrupted
  first=no
  [ -n "$(installed_release)" ] || first=yes

  step 'Checking this host'
  if [ -n "$source" ] && [ ! -d "$source" ]; then
    make_staging
    read_manifest "$source" "$STAGING"
    release=$STAGING
  else
    release=${source:-$HERE}
  fi
  version=$(manifest "$release" version)
  is_version "$version" || fail $DATA "$release is no release: it has no MANIFEST.json with a version" 'name the archive that your vendor sent'
  check_host "$release"
  [ $PROBLEMS = 0 ] || { clear_staging; fail $UNFIT "$PROBLEMS to mend (marked FAIL); nothing was changed"; }

  if is_installed_copy "$release"; then
    step "Verifying the installed release $version"
    verify "$(readlink -f "$release")"
    release=$RELEASES/$version
  else
    step "Unpacking $version"
    stage "${source:-$HERE}"
    step 'Verifying its signature and every file'
    verify "$STAGED"
    [ $first = no ] || confirm_key
    place "$version"
    release=$RELEASES/$version
  fi
  prepare "$release" "$version"
  [ -z "$license" ] || install_license "$release"
  activate "$version" install
  tell_done "$version"
}

# The first time nothing on this host can vouch for the key.
confirm_key() {
  say "     first installation: compare this fingerprint of the release key with what your vendor published:"
  say "     SHA-256 $(sha256sum "$STAGED/release-key.pub" | cut -d ' ' -f 1)"
  [ $yes = no ] || return 0
  ask 'Is it the same? [y/N] ' || refuse_staged 'its key was not confirmed'
}

ask() {
  [ -t 0 ] || fail $USAGE 'there is no terminal to ask on' 'add --yes'
  printf '%s' "$1"
  read -r answer
  case $answer in
    [yY]*) ;;
    *) return 1 ;;
  esac
}

# prepare RELEASE VERSION: everything that can be found out before anything that serves is touched.
prepare() {
  step 'Checking the configuration and its ports'
  file=$(choose_config "$1")
  if [ -n "$config" ] && [ "$file" = "$CONFIG" ] && ! cmp -s "$config" "$CONFIG"; then
    fail $CONFIG_REFUSED "$CONFIG differs from $config, and it is yours, so it stays; nothing was changed" "to take the new one: cp $config $CONFIG && systemctl reload edge-infer; or leave --config out"
  fi
  read_addresses "$1" "$file" || fail $CONFIG_REFUSED "$2 refuses $file for the reasons above; what serves goes on" 'mend the file and run the same command again'
  check_ports || fail $UNFIT 'a port is taken; what serves goes on'
  put_config "$file"
  step 'Testing it as the service will run it, on a known image'
  self_test "$1" "$2"
}

put_config() {
  [ "$1" != "$CONFIG" ] || return 0
  if ! mkdir -p "$(dirname "$CONFIG")" || { [ -e "$CONFIG" ] && ! cp -p "$CONFIG" "$CONFIG.before"; } || ! write_file "$CONFIG" <"$1"; then
    fail $OS "cannot write $CONFIG" 'see that the file system of /etc is writable and not full'
  fi
  say "     $CONFIG is yours from now on: no upgrade touches it"
}

# By a unit that lives in /run only: the sandbox and user of the service, and nothing left in /etc.
self_test() {
  runtime_unit=/run/systemd/system/edge-infer-candidate@.service
  output=/run/edge-infer-candidate.log
  rm -rf "$runtime_unit.d" "$output" "$output.errors"
  if ! mkdir -p "$runtime_unit.d" || ! cp "$1/systemd/edge-infer-selftest@.service" "$runtime_unit" ||
    ! printf '%s\n' '[Service]' 'ExecStart=' "ExecStart=$RELEASES/%i/bin/edge-infer self-test --json" \
      "StandardOutput=file:$output" "StandardError=file:$output.errors" >"$runtime_unit.d/output.conf"; then
    fail $OS "cannot write $runtime_unit" 'see that /run is writable and not full'
  fi
  ! has_nvidia_card || cp "$1/systemd/gpu/$SERVICE.conf" "$runtime_unit.d/gpu.conf"
  systemctl daemon-reload
  # Its exit status knows nothing of what is well now.
  systemctl start "edge-infer-candidate@$2.service" 2>/dev/null
  [ ! -s "$output.errors" ] || quote <"$output.errors"
  told=$(judge_self_test "$1" "$output" 2>&1)
  status=$?
  printf '%s\n' "$told" | quote
  systemctl reset-failed "edge-infer-candidate@$2.service" 2>/dev/null
  rm -rf "$runtime_unit" "$runtime_unit.d" "$output" "$output.errors"
  [ $status = 0 ] || fail $SELF_TEST "$2 failed its self-test; what serves goes on" 'mend what the lines above name, and run the same command again'
}

# judge_self_test RELEASE REPORT: a service that is not well now need not be well with the new release.
judge_self_test() (
  first=--first
  [ -z "$(installed_release)" ] || first=
  IFS='
'
  set -f
  # shellcheck disable=SC2046,SC2086 # a name a line
  "$1/runtime/node" "$1/installer/tested.mjs" "$2" $first -- $(ready_services)
)

install_license() {
  step "Installing the licence $license"
  told=$("$1/bin/edge-infer" license install "$license" </dev/null 2>&1)
  status=$?
  printf '%s\n' "$told" | quote
  [ $status = 0 ] || fail $NO_PERMISSION 'the licence is refused for the reasons above; what serves goes on' 'install without --license, and a licence later with: edge-infer license install FILE'
}

run_rollback() {
  take_lock 300
  finish_interrupted
  earlier=$(version_of "$ROOT/previous")
  if [ -z "$earlier" ]; then
    [ -n "$(version_of "$ROOT/rolled-back")" ] || fail $NO_INPUT 'no release before this one is kept' 'install the archive of the one you want'
    say "$(version_of "$ROOT/current") serves: rolled back from $(version_of "$ROOT/rolled-back") already."
    return
  fi
  step "Verifying the release before, $earlier"
  verify "$RELEASES/$earlier"
  prepare "$RELEASES/$earlier" "$earlier"
  activate "$earlier" rollback
  tell_done "$earlier"
}

run_uninstall() {
  if [ $yes = no ]; then
    [ "$purge" = no ] || say "Configuration, licences and models of this host will be lost."
    ask 'Uninstall edge-infer? [y/N] ' || fail $USAGE 'not confirmed; nothing was changed'
  fi
  take_lock 300
  uninstall $purge
}

run_confirm() {
  take_lock 3600
  finish_interrupted
}

tell_done() {
  say "edge-infer $1 serves on $(address_of edge-infer.socket); administration on $(address_of edge-infer-admin.socket)."
  [ -z "$(version_of "$ROOT/previous")" ] || say "Back to $(version_of "$ROOT/previous"): sh $ROOT/current/install.sh --rollback"
  say "Next: edge-infer doctor; edge-infer license status. Configuration: $CONFIG. Log of this: $LOG"
}

main "$@"
exit
