#!/bin/sh
# The part of systemctl that install.sh uses, over files in /run/fake: so that a run can be cut at every
# step in seconds. The real one is used in test/systemd.
state=/run/fake
mkdir -p $state

main_pid() {
  pid=$(cat $state/pid 2>/dev/null || echo 0)
  if kill -0 "$pid" 2>/dev/null && [ "$pid" != 0 ]; then echo "$pid"; else echo 0; fi
}

stop_service() {
  pid=$(main_pid)
  [ "$pid" = 0 ] || kill -9 "$pid"
  rm -f $state/pid
}

start_service() {
  [ -e /opt/edge-infer/current/bin/edge-infer ] || return 0
  # As systemd does: outside of the caller's process group, without its lock.
  setsid sh -c 'exec 9>&- </dev/null >/dev/null 2>&1; echo $$ >/run/fake/pid; exec /opt/edge-infer/current/bin/edge-infer serve' &
  while [ ! -e $state/pid ]; do :; done
}

case $1 in
  --version) echo 'systemd 252 (fake)' ;;
  daemon-reload | reset-failed) ;;
  enable)
    shift 2 # -q
    for unit in "$@"; do touch "$state/enabled-$unit"; done
    ;;
  disable)
    rm -f "$state/enabled-$3" "$state/active-$3"
    [ "$3" != edge-infer.service ] || stop_service
    ;;
  is-active) [ -e "$state/active-$3" ] ;;
  show)
    case $3 in
      MainPID) echo "MainPID=$(main_pid)" ;;
      ActiveState) if [ "$(main_pid)" = 0 ]; then echo ActiveState=failed; else echo ActiveState=active; fi ;;
      NRestarts) if [ "$(main_pid)" = 0 ]; then echo NRestarts=9; else echo NRestarts=0; fi ;;
      *) echo "$3=" ;;
    esac
    ;;
  start)
    shift
    [ "$1" != --no-block ] || shift
    for unit in "$@"; do
      case $unit in
        edge-infer-candidate@*)
          version=${unit#*@}
          "/opt/edge-infer/releases/${version%.service}/bin/edge-infer" self-test --json >/run/edge-infer-candidate.log
          exit
          ;;
        *) touch "$state/active-$unit" ;;
      esac
    done
    ;;
  stop) stop_service ;;
  restart)
    stop_service
    start_service
    ;;
  boot) # not systemctl's: what a boot does
    stop_service
    rm -rf /run/systemd/system/edge-infer*
    [ ! -e $state/enabled-edge-infer.service ] || start_service
    if [ -e $state/enabled-edge-infer-confirm.service ] && [ -e /opt/edge-infer/pending ]; then
      sh /opt/edge-infer/current/install.sh --confirm
    fi
    ;;
esac
