#!/bin/sh
# Makes the layer that turns the Debian root into a host patched with dnf: dnf and rpm from
# Debian's packages, a fresh RPM database, and no apt or dpkg that a plugin could find.
# usage: root-rpm.sh BASE OUT REPO     (BASE a root of root-deb.sh, OUT the new layer, REPO of repo-rpm.sh)
set -eu
base=$1 out=$2 repo=$3
mirror=$(cat "$base/etc/hostler-lab-mirror")
mkdir -p "$out.up" "$out.work" "$out.root"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$out.up,workdir=$out.work" "$out.root"
root=$out.root
mount -t proc proc "$root/proc"

printf 'deb %s bookworm main\n' "$mirror" > "$root/etc/apt/sources.list"
cp /etc/resolv.conf "$root/etc/resolv.conf"
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
chroot "$root" apt-get -qq update >&2
DEBIAN_FRONTEND=noninteractive chroot "$root" \
  apt-get -qq -y --no-install-recommends install dnf rpm >&2

rm -rf "$root/etc/resolv.conf" "$root"/usr/sbin/policy-rc.d "$root"/var/lib/apt "$root"/var/cache/apt \
  "$root"/var/lib/dpkg "$root"/etc/apt "$root"/usr/share/doc "$root"/usr/share/man \
  "$root"/usr/share/locale "$root"/var/log/*.log "$root"/etc/yum.repos.d "$root"/var/lib/rpm
rm -f "$root"/usr/bin/apt "$root"/usr/bin/apt-* "$root"/usr/bin/dpkg "$root"/usr/bin/dpkg-*
cat > "$root/usr/lib/os-release" <<'RELEASE'
NAME="Lab Enterprise Linux"
ID="lab-el"
ID_LIKE="rhel fedora"
VERSION_ID="9"
PRETTY_NAME="Lab Enterprise Linux 9"
RELEASE
mkdir -p "$root/etc/yum.repos.d" "$root/etc/dnf" "$root/var/lib/rpm" "$root/srv/lab"
cat > "$root/etc/yum.repos.d/lab.repo" <<'REPO'
[lab]
name=Lab packages
baseurl=file:///srv/lab/rpm
enabled=1
gpgcheck=0
metadata_expire=0
REPO
printf '[main]\ngpgcheck=0\ninstallonly_limit=3\nclean_requirements_on_remove=False\n' > "$root/etc/dnf/dnf.conf"
# Debian keeps the RPM database in the home folder; the distributions that use it keep it here.
mkdir -p "$root/etc/rpm"
printf '%%_dbpath /var/lib/rpm\n' > "$root/etc/rpm/macros"
# What the scriptlets of every package require (/bin/sh, the release) has to be in the RPM database.
mkdir -p "$root/srv/lab/rpm"
mount --bind "$repo" "$root/srv/lab/rpm"
chroot "$root" rpm --initdb
chroot "$root" sh -c 'rpm -i --nosignature /srv/lab/rpm/hostler-lab-base-*.rpm' >&2
umount "$root/srv/lab/rpm" "$root/proc" "$root"
rmdir "$out.root"
rm -rf "$out.work"
mv "$out.up" "$out"
