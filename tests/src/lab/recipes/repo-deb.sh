#!/bin/sh
# Builds the lab's own Debian packages and the two suites that offer them. Version 1.0 of everything
# lies in `stable`, so that going back is possible; 1.1 lies in `stable` or, for what is a security
# update, in `stable-security` only, labelled as Debian labels it.
# usage: repo-deb.sh OUT
set -eu
out=$1
mkdir -p "$out/pool/main" "$out/pool/security"

# build NAME VERSION POOL: packs the tree in $tree
build() {
  mkdir -p "$tree/DEBIAN" "$tree/usr/share/hostler-lab"
  printf '%s %s\n' "$1" "$2" > "$tree/usr/share/hostler-lab/$1"
  cat > "$tree/DEBIAN/control" <<CONTROL
Package: $1
Version: $2
Architecture: all
Maintainer: Hostler lab <lab@example.invalid>
Section: misc
Priority: optional
Installed-Size: $(du -sk "$tree" | cut -f 1)
Description: package $1 of the test lab
CONTROL
  find "$tree" -exec touch -h -d @1700000000 {} +
  dpkg-deb --root-owner-group -Znone -b "$tree" "$out/pool/$3/$1_$2_all.deb" > /dev/null
  rm -rf "$tree"
}
script() { # script NAME: a maintainer script from standard input
  mkdir -p "$tree/DEBIAN"; { printf '#!/bin/sh\nset -e\n'; cat; } > "$tree/DEBIAN/$1"; chmod 755 "$tree/DEBIAN/$1"
}
tree=$out.tree

for version in 1.0 1.1; do
  build hostler-lab-plain $version main
done

for version in 1.0 1.1; do
  pool=main; [ $version = 1.0 ] || pool=security
  build hostler-lab-secure $version $pool
  # Wants a restart of the host, as a kernel does.
  if [ $version = 1.1 ]; then
    script postinst <<'POST'
echo '*** System restart required ***' > /run/reboot-required
echo hostler-lab-kernel >> /run/reboot-required.pkgs
POST
  fi
  build hostler-lab-kernel $version $pool
  # Fails while it is configured: dpkg stays half-configured.
  [ $version = 1.0 ] || script postinst <<'POST'
echo 'hostler-lab-broken: refusing to be configured' >&2
exit 1
POST
  build hostler-lab-broken $version $pool
  # Holds its installation for as long as /run/hostler-lab-hold exists (at most two minutes).
  [ $version = 1.0 ] || script postinst <<'POST'
[ -e /run/hostler-lab-hold ] || exit 0
: > /run/hostler-lab-holding
left=1200
while [ -e /run/hostler-lab-hold ] && [ $left -gt 0 ]; do sleep 0.1; left=$((left - 1)); done
rm -f /run/hostler-lab-holding
POST
  build hostler-lab-slow $version $pool
  # A configuration file that an administrator may have changed.
  mkdir -p "$tree/etc" "$tree/DEBIAN"
  printf 'shipped = %s\n' $version > "$tree/etc/hostler-lab.conf"
  printf '/etc/hostler-lab.conf\n' > "$tree/DEBIAN/conffiles"
  build hostler-lab-conf $version main
  # Needs 48 MiB: fills a small disk.
  if [ $version = 1.1 ]; then
    mkdir -p "$tree/opt/hostler-lab"
    head -c 50331648 /dev/urandom > "$tree/opt/hostler-lab/big"
  fi
  build hostler-lab-big $version main
done

# release SUITE CODENAME LABEL POOL
release() {
  dist=dists/$1
  mkdir -p "$out/$dist/main/binary-amd64"
  (cd "$out" && dpkg-scanpackages --multiversion "pool/$4" 2> /dev/null) > "$out/$dist/main/binary-amd64/Packages"
  packages=$out/$dist/main/binary-amd64/Packages
  cat > "$out/$dist/Release" <<RELEASE
Origin: Debian
Label: $3
Suite: $1
Codename: $2
Architectures: amd64 all
Components: main
Date: Tue, 14 Nov 2023 22:13:20 UTC
SHA256:
 $(sha256sum "$packages" | cut -d ' ' -f 1) $(stat -c %s "$packages") main/binary-amd64/Packages
RELEASE
}
release stable bookworm Debian main
release stable-security bookworm-security Debian-Security security
chmod -R a+rX "$out"
