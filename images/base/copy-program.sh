#!/bin/sh
# Copies programs and all libraries that the linker names for them to a new root, in the places that they have here.
#   copy-program.sh ROOT BASE PROGRAM...     BASE: a root that lies below it, whose files aren't copied again, or ""
set -eu
root=$1 base=$2
shift 2
for program; do
  libraries=$(ldd "$program" | grep --only-matching '/[^ ]*' || true) # a static program has none
  for file in "$program" $libraries; do
    place=$(realpath "$(dirname "$file")")/$(basename "$file") # /lib is /usr/lib
    [ -e "$root$place" ] && continue
    [ -n "$base" ] && [ -e "$base$place" ] && continue
    mkdir -p "$(dirname "$root$place")"
    cp --dereference "$file" "$root$place"
  done
done
