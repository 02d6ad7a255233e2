#!/bin/sh
# All files are as old as time: what is the same in two builds, or in two releases, is the same layer then.
set -eu
find "$@" -exec touch --no-dereference --date=@0 {} +
