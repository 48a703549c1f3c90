#!/bin/sh
# Makes the Debian root that every lab host shares as its lower layer: minbase and an SSH server,
# with the lab's own package repository as the only source. May not start any daemon.
# usage: root-deb.sh OUT          (OUT must not exist; the caller renames it into place)
set -eu
out=$1
suite=bookworm

# The mirror that this machine itself uses, so that a closed network works without a setting here.
mirror=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $suite" 'Created-By: Packages' 2>/dev/null \
  | grep -v security | head -n 1 || true)
mirror=${mirror:-http://deb.debian.org/debian}

debootstrap --variant=minbase --include=openssh-server "$suite" "$out" "$mirror" >&2
# Kept for the recipe of the RPM root, which needs the mirror once more.
printf '%s\n' "$mirror" > "$out/etc/hostler-lab-mirror"

# Small: nothing that a patch run reads.
rm -rf "$out"/var/cache/apt/archives/*.deb "$out"/var/cache/apt/*.bin "$out"/var/lib/apt/lists/* \
  "$out"/usr/share/doc/* "$out"/usr/share/man/* "$out"/usr/share/locale/* "$out"/var/log/*.log
rm -f "$out"/etc/ssh/ssh_host_*

# Hosts reach no network: the sources are a read-only mount.
rm -rf "$out"/etc/apt/sources.list.d/*
cat > "$out/etc/apt/sources.list" <<'LIST'
deb [trusted=yes] file:/srv/lab/deb stable main
deb [trusted=yes] file:/srv/lab/deb stable-security main
LIST
rm -f "$out/etc/resolv.conf"
mkdir -p "$out/srv/lab" "$out/run/sshd" "$out/root/.ssh"
chmod 700 "$out/root/.ssh"
