# shellcheck shell=bash
# A container engine for this run alone, unless one answers already: all that it makes is in a directory that goes with it.

engine=

start_engine() {
  docker version > /dev/null 2>&1 && return
  echo "starting: dockerd"
  dockerd --data-root "$scratch/docker" > "$scratch/dockerd.log" 2>&1 &
  engine=$!
  local tries
  for tries in $(seq 120); do
    docker version > /dev/null 2>&1 && return
    kill -0 "$engine" 2> /dev/null || break
    sleep 0.5
  done
  echo "dockerd didn't start (asked $tries times); its last lines:"
  tail -20 "$scratch/dockerd.log"
  return 1
}

stop_engine() {
  [ -n "$engine" ] || return 0
  kill "$engine" 2> /dev/null || true
  wait "$engine" || true
  engine=
}
