#!/bin/sh
# Copies programs and all libraries that the linker names for them to a new root, in the places that they have here, with
# the licence and the record of the Debian package that each is from: scanners read /var/lib/dpkg/status.d.
#   copy-program.sh ROOT BASE PROGRAM...     BASE: a root that lies below it, whose files aren't copied again, or ""
set -eu
root=$1 base=$2
shift 2

record() {
  package=$(dpkg-query --search "$1" 2> /dev/null | sed 's/:.*//;q')
  [ -n "$package" ] || return 0 # Node isn't from a package
  mkdir -p "$root/usr/share/doc/$package" "$root/var/lib/dpkg/status.d"
  cp --dereference "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package/"
  dpkg-query --status "$package" > "$root/var/lib/dpkg/status.d/$package"
}

for program; do
  libraries=$(ldd "$program" | grep --only-matching '/[^ ]*' || true) # a static program has none
  for file in "$program" $libraries; do
    place=$(realpath "$(dirname "$file")")/$(basename "$file") # /lib is /usr/lib
    [ -e "$root$place" ] && continue
    [ -n "$base" ] && [ -e "$base$place" ] && continue
    mkdir -p "$(dirname "$root$place")"
    cp --dereference "$file" "$root$place"
    record "$place"
  done
done
