#!/bin/sh
# The owner of a compose group: a static init that waits and reaps orphans.
set -eu
root=$1
mkdir -p "$root/proc"
cp /usr/bin/catatonit "$root/catatonit"
