#!/bin/sh
# The lab's disk, in a mount namespace of its own: the Debian root below, what the lab writes above it
# in memory. It lasts as long as standard input stays open, so it outlives reboots and nothing else.
#
#   disk.sh ROOT FOLDER SIZE
set -eu
root=$1 folder=$2 size=$3

mount -t tmpfs -o "size=$size,mode=755" lab-disk "$folder"
mkdir "$folder/upper" "$folder/work" "$folder/root"
# A user that is not root has to come through to what lies in the root folder.
chmod 755 "$folder/upper"
mount -t overlay -o "lowerdir=$root,upperdir=$folder/upper,workdir=$folder/work" lab "$folder/root"
shift 3
# Pairs of SOURCE TARGET: folders of the outside that the lab sees and cannot write to.
while [ $# -gt 0 ]; do
  mkdir -p "$folder/root$2"
  mount --bind "$1" "$folder/root$2"
  mount -o remount,bind,ro "$folder/root$2"
  shift 2
done
echo ready
read -r _ || true
