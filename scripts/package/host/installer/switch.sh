# shellcheck shell=sh
# From one release to another, in a way that can be cut anywhere. A marker is written before anything
# that serves is touched, and taken away when the new release has proved itself. Whoever finds it later
# finishes: the next run of the installer, or edge-infer-confirm.service, which waits for this run to
# end and is started at every boot.

READY_POLLS=300 # about a second each
SETTLE_POLLS=5 # every two seconds
FIRST_SETTLE_POLLS=1
MOST_RESTARTS=3
MOST_MISSES=3

pending() { sed -n "s/^$1=//p" "$PENDING" 2>/dev/null; }

# activate VERSION ACTION: ACTION is install or rollback.
activate() {
  from=$(version_of "$ROOT/current")
  if [ "$from" = "$1" ] && ! units_differ "$RELEASES/$1" && is_running "$1" && check_health "$1" "$(ready_services)" >/dev/null; then
    say "     version $1 serves already, nothing to change"
    return
  fi
  write_pending "$1" "$2" || fail $OS "cannot write $PENDING" 'see that the file system of /opt is writable and not full'
  step "Putting the units of $1 in place"
  if ! apply_units "$RELEASES/$1"; then
    REASON="its units cannot be put in place: see that $UNITS is writable and not full"
    go_back
  fi
  units=$(pending enable)
  # At once: systemd reads all units anew with each call.
  # shellcheck disable=SC2086 # a list
  [ -z "$units" ] || systemctl enable -q $units 2>&1 | quote
  # It waits for this run to end, however that ends. The first time there is nothing to go back to.
  [ -z "$from" ] || systemctl start --no-block edge-infer-confirm.service
  step "Switching from ${from:-nothing} to $1"
  point "$ROOT/current" "releases/$1" || { REASON="$ROOT/current cannot be changed"; go_back; }
  link_command
  restart_service
  finish_switch
}

write_pending() {
  sockets=no
  ! addresses_differ || sockets=yes
  {
    printf '%s\n' "from=$(version_of "$ROOT/current")" "to=$1" "action=$2" "sockets=$sockets"
    for socket in $SOCKETS; do
      echo "$socket=$(address_of "$socket")"
    done
    ready_services | sed 's/^/service=/'
    new_units "$RELEASES/$1" | sed 's/^/enable=/'
  } | write_file "$PENDING"
}

# A command of another program under that name stays.
link_command() {
  if [ ! -e "$COMMAND" ] && [ ! -L "$COMMAND" ]; then
    ln -s "$ROOT/current/bin/edge-infer" "$COMMAND" 2>/dev/null || say "     $COMMAND could not be made; the command is $ROOT/current/bin/edge-infer"
  elif [ "$(readlink "$COMMAND")" != "$ROOT/current/bin/edge-infer" ]; then
    say "     $COMMAND is another program's; the command is $ROOT/current/bin/edge-infer"
  fi
}

# The sockets stay open unless their addresses changed: then no connection is refused.
restart_service() {
  OLD_PID=$(property MainPID)
  systemctl reset-failed $SERVICE 2>/dev/null
  # shellcheck disable=SC2086 # a list
  if [ "$(pending sockets)" = yes ]; then
    systemctl stop $SERVICE $SOCKETS
  fi
  # shellcheck disable=SC2086 # a list
  systemctl start $SOCKETS 2>&1 | quote
  systemctl restart --no-block $SERVICE
}

property() { systemctl show -p "$1" $SERVICE 2>/dev/null | sed -n "s/^$1=//p"; }

# The release that the main process was started from.
is_running() {
  pid=$(property MainPID)
  [ "${pid:-0}" != 0 ] && tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | grep -qF "$RELEASES/$1/"
}

ready_services() {
  node=$(readlink -f "$ROOT/current")
  admin=$(address_of edge-infer-admin.socket)
  if [ -n "$node" ] && [ -n "$admin" ]; then
    "$node/runtime/node" "$node/installer/health.mjs" "$admin" 2>/dev/null
  fi
}

# check_health VERSION SERVICES: by the programs of the release that is to serve.
check_health() (
  version=$1
  IFS='
'
  set -f
  # shellcheck disable=SC2086 # a name a line
  set -- $2
  "$RELEASES/$version/runtime/node" "$RELEASES/$version/installer/health.mjs" "$(address_of edge-infer-admin.socket)" "$version" --answers "$(address_of edge-infer.socket)" "$@" 2>&1
)

# watch_release VERSION SERVICES: 0 once it has been ready and stayed so for a while. Else REASON.
watch_release() {
  polls=0
  settle=$SETTLE_POLLS
  # There is no other release to go back to.
  [ -n "$(pending from)" ] || settle=$FIRST_SETTLE_POLLS
  well=0
  misses=0
  while [ $polls -lt $READY_POLLS ]; do
    polls=$((polls + 1))
    pid=$(property MainPID)
    if [ "${pid:-0}" != 0 ] && [ "$pid" = "$OLD_PID" ]; then
      sleep 1 # the one before finishes its requests
      continue
    fi
    REASON=$(check_health "$1" "$2")
    status=$?
    if [ $status = 0 ] && [ "$(property ActiveState)" = active ]; then
      if [ $well = 0 ]; then
        say "     ready, and answers right; watching it for $((settle * 2)) s"
        [ -z "$REASON" ] || printf '%s\n' "$REASON" | quote
        ready_pid=$pid
      fi
      well=$((well + 1))
      misses=0
      [ $well -le $settle ] || return 0
    else
      misses=$((misses + 1))
      [ $status != 2 ] || return 1
    fi
    if [ $well != 0 ] && [ "$pid" != "$ready_pid" ]; then
      REASON='it became ready, then ended by itself'
      return 1
    elif [ $well != 0 ] && [ $misses -ge $MOST_MISSES ]; then
      REASON="it became ready, then was so no longer: $REASON"
      return 1
    elif [ "$(number "$(property NRestarts)")" -ge $MOST_RESTARTS ]; then
      REASON="it ends by itself again and again ($(property Result), exit status $(property ExecMainStatus))"
      return 1
    fi
    if [ $well = 0 ]; then sleep 1; else sleep 2; fi
  done
  REASON="it was not ready in time: $REASON"
  return 1
}

# Ends the switch that the marker tells of: the new release proves itself, or the one before returns.
finish_switch() {
  to=$(pending to)
  step "Waiting until $to is ready"
  if watch_release "$to" "$(pending service)"; then
    confirm
  else
    go_back
  fi
}

confirm() {
  from=$(pending from)
  to=$(pending to)
  if [ -n "$from" ] && [ "$from" != "$to" ]; then
    if [ "$(pending action)" = rollback ]; then
      point "$ROOT/rolled-back" "releases/$from" && rm -f "$ROOT/previous"
    else
      point "$ROOT/previous" "releases/$from" && rm -f "$ROOT/rolled-back"
    fi
  fi
  rm -f "$PENDING"
  prune
}

# Ends the run.
go_back() {
  to=$(pending to)
  from=$(pending from)
  say "   $to is not well: $REASON"
  say '     the last lines of its log:'
  timeout 10 journalctl -q -u $SERVICE -n 15 --no-pager -o cat 2>&1 </dev/null | quote
  if [ -z "$from" ] || [ "$from" = "$to" ]; then
    rm -f "$PENDING"
    fail $NOT_SERVING "$to is in place and not ready, and there is no other release to go back to" "edge-infer doctor; then run this again"
  fi
  step "Going back to $from"
  return_to "$from"
  OLD_PID=0
  if ! watch_release "$from" "$(pending service)"; then
    rm -f "$PENDING"
    fail $NOT_SERVING "$from is back in place, and not well either: $REASON" "edge-infer doctor"
  fi
  rm -f "$PENDING"
  fail $ROLLED_BACK "$to was not well, so $from serves again" "the reasons are above and in $LOG"
}

# Units, addresses and link as they were; the service is restarted where it runs something else.
return_to() {
  SERVICE_ADDRESS=$(pending edge-infer.socket)
  ADMIN_ADDRESS=$(pending edge-infer-admin.socket)
  apply_units "$RELEASES/$1" || say "     not all units of $1 could be put back: see that $UNITS is writable"
  point "$ROOT/current" "releases/$1" || fail $NOT_SERVING "cannot change $ROOT/current" 'see that the file system of /opt is writable, and run this again'
  if [ "$(pending sockets)" = yes ] || ! is_running "$1"; then
    restart_service
  fi
}

# What a run that was cut off has left.
finish_interrupted() {
  [ -e "$PENDING" ] || return 0
  to=$(pending to)
  from=$(pending from)
  current=$(version_of "$ROOT/current")
  if [ "$current" = "$to" ]; then
    step "An earlier run was cut off after switching to $to: finishing it"
    OLD_PID=0
    if [ "$(pending sockets)" = yes ] || ! is_running "$to"; then
      restart_service
    fi
    finish_switch
  elif [ -n "$current" ]; then
    step "An earlier run was cut off before $to served: putting everything of $current in order"
    return_to "$current"
    rm -f "$PENDING"
  else
    rm -f "$PENDING"
  fi
}
