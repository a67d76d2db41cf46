# shellcheck shell=sh
# Takes the installation away. What is removed last is what a second run needs.

# uninstall PURGE(yes|no)
uninstall() {
  step 'Stopping the service'
  units=$(for folder in "$RELEASES"/*/; do unit_files "${folder%/}"; done | sort -u)
  for unit in $units; do
    case $unit in
      */*) ;;
      *) systemctl disable --now "$unit" 2>/dev/null ;;
    esac
  done
  remove /run/edge-infer-hardware
  step "Removing the units from $UNITS"
  for unit in $units; do
    keep_edited "$unit"
    remove "$UNITS/$unit"
  done
  for socket in $SOCKETS; do
    remove "$UNITS/$socket.d/$ADDRESS_FILE"
  done
  rmdir "$UNITS"/edge-infer*.d 2>/dev/null
  [ "$1" = no ] || remove "$UNITS"/edge-infer*
  systemctl daemon-reload
  systemctl reset-failed 'edge-infer*' 2>/dev/null

  if [ "$1" = yes ]; then
    step 'Removing configuration, licences, state and your models'
    remove "$(dirname "$CONFIG")" "$ROOT/models"
    for name in lib cache log; do
      remove "/var/$name/edge-infer" "/var/$name/private/edge-infer"
    done
  fi
  step "Removing the releases from $ROOT"
  [ "$(readlink "$COMMAND")" != "$ROOT/current/bin/edge-infer" ] || remove "$COMMAND"
  remove "$PENDING"
  # This installer goes last, so that a run that is cut off can be repeated.
  here=$(readlink -f "$HERE")
  for folder in "$RELEASES"/* "$RELEASES"/.[a-z]*; do
    [ "$folder" = "$here" ] || remove "$folder"
  done
  [ ! -d "$here/app" ] || ! is_installed_copy "$here" || remove "$here/app" "$here/runtime"
  remove "$RELEASES" "$ROOT/current" "$ROOT/previous" "$ROOT/rolled-back"
  rmdir "$ROOT" 2>/dev/null
  tell_what_is_left "$1"
}

remove() {
  rm -rf "$@" || say "     could not be removed: $*"
}

tell_what_is_left() {
  say 'edge-infer is uninstalled.'
  if [ "$1" = no ]; then
    say 'Kept, and taken up again by a new installation (--uninstall --purge removes them too):'
    for kept in "$(dirname "$CONFIG")" "$UNITS"/edge-infer* "$ROOT/models" /var/lib/edge-infer; do
      [ ! -e "$kept" ] || say "  $kept"
    done
  fi
  if [ -e "$RECORDS" ]; then
    say "Kept: $RECORDS, a few hundred bytes that say when this host's evaluation began and which licences it gave up,"
    say '  so that an evaluation is not begun anew. They hold hashes and times, nothing about you or your images.'
  fi
  if [ "$1" = yes ]; then
    rm -f "$LOG"
  fi
}
