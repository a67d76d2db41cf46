#!/bin/sh
# Boots the system under ROOT as process 1 of namespaces of its own. Runs twice: outside, to give the
# lab control groups of its own, and then as the first process inside, which becomes systemd.
#
#   boot.sh outside GROUP ROOT [NAME=VALUE...]
set -eu
stage=$1

if [ "$stage" = outside ]; then
  group=$2
  shift 1
  # Below the group that this process is in, so that whatever bounds that bounds the lab too.
  while IFS=: read -r number controllers path; do
    case $number in
      0) for mount in /sys/fs/cgroup/unified /sys/fs/cgroup; do
           [ ! -e "$mount/cgroup.controllers" ] || break
         done ;;
      *) mount=/sys/fs/cgroup/${controllers#name=} ;;
    esac
    parent=$mount${path%/}
    mkdir "$parent/$group" 2>/dev/null || continue
    if [ "$controllers" = cpuset ]; then # takes nobody in before it is told of any processors
      cat "$parent/cpuset.cpus" >"$parent/$group/cpuset.cpus"
      cat "$parent/cpuset.mems" >"$parent/$group/cpuset.mems"
    fi
    echo $$ >"$parent/$group/cgroup.procs"
  done </proc/self/cgroup
  exec unshare --fork --kill-child --pid --mount --uts --ipc --net --cgroup \
    sh "$0" inside "$@"
fi

group=$2 root=$3
shift 3
hostname edge-infer-lab
# As on a host, where this machine allows it.
ulimit -n 524288 2>/dev/null || ulimit -n "$(ulimit -Hn)"
cd "$root"

mount -t proc -o nosuid,nodev,noexec proc proc
# Settings of the kernel are this machine's, not the lab's.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o nosuid,nodev,noexec,ro sysfs sys
mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs run
mount -t tmpfs -o nosuid,nodev tmpfs tmp

# Device nodes of its own: the machine's devtmpfs is shared with everybody on it.
mount -t tmpfs -o nosuid,noexec,mode=755 tmpfs dev
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
  rest=${device#*:}
  mknod -m 666 "dev/${device%%:*}" c "${rest%:*}" "${rest#*:}"
done
mkdir dev/pts dev/shm
mount -t devpts -o nosuid,noexec,newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o nosuid,nodev tmpfs dev/shm

# The same kind of control groups as this machine has; those that could not be made are left out.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 sys/fs/cgroup
else
  mount -t tmpfs -o nosuid,nodev,noexec,mode=755 tmpfs sys/fs/cgroup
  while IFS=: read -r number controllers path; do
    [ "$path" = / ] || continue # outside of the lab
    case $number in
      0) kind=cgroup2 options=nsdelegate name=unified ;;
      *) kind=cgroup options=$controllers name=${controllers#name=} ;;
    esac
    [ "$controllers" != name=systemd ] || options=none,name=systemd
    mkdir -p "sys/fs/cgroup/$name"
    mount -t "$kind" -o "$options" "$kind" "sys/fs/cgroup/$name" || rmdir "sys/fs/cgroup/$name"
  done </proc/self/cgroup
  mount -o remount,ro sys/fs/cgroup
fi

mkdir run/outside
pivot_root . run/outside
umount -l /run/outside
rmdir /run/outside
# No setting of the machine's clock, no loading of modules into its kernel.
exec setpriv --bounding-set -sys_time,-sys_module,-syslog,-sys_rawio \
  env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@" /lib/systemd/systemd
