#!/bin/sh
# The base image: Node and its libraries, CA certificates, the user, a directory for state and /tmp.
set -eu
root=$1
mkdir -p "$root/etc/ssl/certs" "$root/usr/lib" "$root/usr/lib64" "$root/proc" "$root/data" "$root/tmp"
ln -s usr/lib "$root/lib"
ln -s usr/lib64 "$root/lib64"

install /node/node /usr/local/bin/node
/build/copy-program.sh "$root" "" /usr/local/bin/node
strip "$root/usr/local/bin/node"
if [ -e /node/LICENSE ]; then
  mkdir -p "$root/usr/share/doc/node"
  cp /node/LICENSE "$root/usr/share/doc/node/copyright"
fi

cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
mkdir -p "$root/usr/share/doc/ca-certificates"
cp /usr/share/doc/ca-certificates/copyright "$root/usr/share/doc/ca-certificates/"
dpkg-query --status ca-certificates > "$root/var/lib/dpkg/status.d/ca-certificates"
cp --dereference /etc/os-release "$root/etc/"
cat > "$root/etc/passwd" <<'PASSWD'
root:x:0:0:root:/:/sbin/nologin
nonroot:x:65532:65532:nonroot:/tmp:/sbin/nologin
PASSWD
cat > "$root/etc/group" <<'GROUP'
root:x:0:
nonroot:x:65532:
GROUP
echo 'hosts: files dns' > "$root/etc/nsswitch.conf"

# A user that is given at run time (docker run --user 1234) is in group 0, as on OpenShift.
chown 65532:0 "$root/data"
chmod 2775 "$root/data"
chmod 1777 "$root/tmp"
