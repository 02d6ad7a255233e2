# shellcheck shell=bash
# Debian packages of the programs that are missing. Docker's newer plugins are those of the next Debian release, in a
# directory of their own: the classic builder and docker-compose 1.29 stay what `docker build` and `docker-compose` are.

install_packages() {
  local pair lacking=()
  for pair in git:git openssl:openssl ssh-keygen:openssh-client curl:curl ps:procps ss:iproute2 setpriv:util-linux iptables:iptables \
    chromium:chromium dockerd:docker.io docker-compose:docker-compose mmdebstrap:mmdebstrap docker-registry:docker-registry \
    podman:podman catatonit:catatonit /usr/lib/podman/netavark:netavark nsenter:util-linux \
    taskset:util-linux nginx:nginx-light haproxy:haproxy hitch:hitch h2load:nghttp2-client; do
    command -v "${pair%%:*}" > /dev/null || lacking+=("${pair#*:}")
  done
  [ -e "$(git --exec-path 2> /dev/null)/git-daemon" ] || lacking+=(git)
  if [ ${#lacking[@]} -gt 0 ]; then
    echo "installing: ${lacking[*]}"
    apt-get update -qq
    # shellcheck disable=SC2024
    apt-get install -y -qq --no-install-recommends "${lacking[@]}" > "$scratch/apt.log" 2>&1 || {
      tail -20 "$scratch/apt.log"
      return 1
    }
  fi
  find_plugin buildx docker-buildx BUILDX
  find_plugin compose docker-compose COMPOSE_V2
}

# find_plugin COMMAND PACKAGE VARIABLE: exports the path of Docker's plugin, the machine's own or one that is fetched.
find_plugin() {
  local place
  for place in ~/.docker/cli-plugins /usr/local/lib/docker/cli-plugins /usr/libexec/docker/cli-plugins /usr/lib/docker/cli-plugins "$scratch/plugins/usr/libexec/docker/cli-plugins"; do
    if [ -x "$place/docker-$1" ]; then
      export "$3=$place/docker-$1"
      return
    fi
  done
  echo "installing: $2 of Debian trixie, aside"
  fetch_from_trixie "$2"
  export "$3=$scratch/plugins/usr/libexec/docker/cli-plugins/docker-$1"
}

fetch_from_trixie() {
  local apt="$scratch/apt" mirror
  mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' 'Label: Debian' | head -1)
  mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$scratch/plugins"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:?no Debian mirror is configured} trixie main" > "$apt/sources.list"
  local options=(-qq -o "Dir::Etc::sourcelist=$apt/sources.list" -o Dir::Etc::sourceparts=- -o "Dir::State::lists=$apt/lists" -o "Dir::Cache=$apt/cache" -o APT::Sandbox::User=root)
  [ -n "$(ls "$apt/lists"/*trixie* 2> /dev/null)" ] || apt-get "${options[@]}" update
  (cd "$apt" && apt-get "${options[@]}" download "$1" && dpkg -x "$1"_*.deb "$scratch/plugins")
}
