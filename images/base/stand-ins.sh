#!/usr/bin/env bash
# For a machine that reaches Debian's and npm's packages but no container registry: makes images that can stand in for
# the two that the Dockerfile starts from, under their names.   stand-ins.sh ENGINE DEBIAN_IMAGE NODE_IMAGE
set -euo pipefail
engine=$1 debian=$2 node=$3
repository=$(cd "$(dirname "$0")/../.." && pwd)
context=$(mktemp -d)
trap 'rm -rf "$context"' EXIT

if ! command -v mmdebstrap > /dev/null; then
  echo "stand-ins: mmdebstrap is missing, which makes a Debian system from packages; apt-get install mmdebstrap" >&2
  exit 1
fi
# One that is there is left as it is: somebody may have pulled it
if ! "$engine" inspect --type image "$debian" > /dev/null 2>&1; then
  echo "stand-ins: making $debian from Debian's packages"
  mmdebstrap --quiet --variant=minbase --include=ca-certificates trixie "$context/debian.tar"
  "$engine" import "$context/debian.tar" "$debian" > /dev/null
  rm "$context/debian.tar"
fi
"$engine" inspect --type image "$node" > /dev/null 2>&1 && exit

echo "stand-ins: making $node from it, the npm package node and this machine's npm"
cp "$repository/node_modules/node/bin/node" "$context/node"
cp --recursive --dereference "$(npm root --global)/npm" "$context/npm"
# npm in the build has to trust, and to ask, whom npm trusts and asks here
cp "${NODE_EXTRA_CA_CERTS:-/etc/ssl/certs/ca-certificates.crt}" "$context/authorities.pem"
echo "registry=$(npm config get registry)" > "$context/npmrc"
cat > "$context/Dockerfile" <<DOCKERFILE
FROM $debian
RUN apt-get update && apt-get install --yes --no-install-recommends libatomic1 && rm -rf /var/lib/apt/lists/*
COPY node /usr/local/bin/node
COPY npm /usr/local/lib/node_modules/npm
COPY npmrc /usr/local/etc/npmrc
COPY authorities.pem /usr/local/etc/authorities.pem
ENV NODE_EXTRA_CA_CERTS=/usr/local/etc/authorities.pem
RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx
CMD ["node"]
DOCKERFILE
DOCKER_BUILDKIT=0 "$engine" build --quiet --tag "$node" "$context" > /dev/null
