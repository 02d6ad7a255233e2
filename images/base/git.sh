#!/bin/sh
# What repo-updater has on top of the base: git with its transports, ssh, a shell for git's ssh and file transports
# (connect.c passes their command lines to sh), and an init that reaps what git leaves behind.
set -eu
root=$1 base=$2
core=/usr/lib/git-core
/build/copy-program.sh "$root" "$base" /usr/bin/git $core/git-remote-http /usr/bin/ssh /usr/bin/dash /usr/bin/tini
ln -s dash "$root/usr/bin/sh"
ln -s usr/bin "$root/bin"
ln -s git-remote-http "$root$core/git-remote-https"
# git finds its other selves by name: here, and upload-pack through the shell's PATH
for name in git git-upload-pack; do ln -s ../../bin/git "$root$core/$name"; done
ln -s git "$root/usr/bin/git-upload-pack"
mkdir -p "$root/usr/share/git-core/templates" # else it warns at each new repository
