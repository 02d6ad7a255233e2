#!/bin/sh
# The owner of a compose group: a static init that waits and reaps orphans.
set -eu
root=$1
mkdir -p "$root/proc"
/build/copy-program.sh "$root" "" /usr/bin/catatonit
ln -s usr/bin/catatonit "$root/catatonit"
