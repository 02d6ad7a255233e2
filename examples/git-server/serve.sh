#!/bin/sh
# Serves /srv/git over git's own protocol, to read and to push; anybody may do both: it is for a demo on loopback.
set -eu
repository=/srv/git/site.git
if [ ! -d "$repository" ]; then
  work=$(mktemp -d)
  cp -R /usr/share/site/. "$work"
  git -C "$work" init --quiet --initial-branch=main
  git -C "$work" add --all
  git -C "$work" -c user.name='Harbor office' -c user.email=office@harbor.example commit --quiet --message='The noticeboard as it is'
  git clone --quiet --bare "$work" "$repository.new"
  mv "$repository.new" "$repository"
  rm -rf "$work"
fi
exec git daemon --reuseaddr --export-all --enable=receive-pack --base-path=/srv/git --log-destination=stderr
