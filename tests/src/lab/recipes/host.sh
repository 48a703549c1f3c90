#!/bin/sh
# Becomes one lab host: runs as the first process of its own mount, process, name and IPC namespaces,
# so killing it takes the host and everything on its disk away. May not touch anything outside $dir.
# usage: host.sh DIR NAME LOWER REPO_DEB REPO_RPM DISK_MIB ADDRESS PORT [PACKAGE…]
# DIR holds host_key, host_key.pub and client.pub.
set -eu
dir=$1 name=$2 lower=$3 repo_deb=$4 repo_rpm=$5 disk_mib=$6 address=$7 port=$8
shift 8

mkdir -p "$dir/disk"
mount -t tmpfs -o "size=${disk_mib}m" tmpfs "$dir/disk"
mkdir "$dir/disk/up" "$dir/disk/work" "$dir/disk/root"
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$dir/disk/up,workdir=$dir/disk/work" "$dir/disk/root"
root=$dir/disk/root

mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755,size=1m tmpfs "$root/dev"
while read -r node major minor; do mknod -m 666 "$root/dev/$node" c "$major" "$minor"; done <<'NODES'
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
NODES
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mkdir -p "$root/srv/lab/deb" "$root/srv/lab/rpm"
mount --bind "$repo_deb" "$root/srv/lab/deb"
mount --bind "$repo_rpm" "$root/srv/lab/rpm"
mount -o remount,bind,ro "$root/srv/lab/deb"
mount -o remount,bind,ro "$root/srv/lab/rpm"

hostname "$name"
printf '%s\n' "$name" > "$root/etc/hostname"
printf '127.0.0.1 localhost\n%s %s\n' "$address" "$name" > "$root/etc/hosts"
mkdir -p "$root/etc/ssh" "$root/root/.ssh"
cp "$dir/host_key" "$dir/host_key.pub" "$root/etc/ssh/"
chmod 600 "$root/etc/ssh/host_key"
cp "$dir/client.pub" "$root/root/.ssh/authorized_keys"
chmod 700 "$root/root/.ssh"
chmod 600 "$root/root/.ssh/authorized_keys"

for package in "$@"; do
  if [ -x "$root/usr/bin/dnf" ]; then
    chroot "$root" rpm -i --nosignature "/srv/lab/rpm/$package-1.0-1.noarch.rpm"
  else
    DEBIAN_FRONTEND=noninteractive chroot "$root" dpkg -i "/srv/lab/deb/pool/main/${package}_1.0_all.deb"
  fi
done

# A restart: every process but the first is killed, /run is new, and so is the boot id.
cat > "$root/usr/sbin/reboot" <<'REBOOT'
#!/bin/sh
exec kill -TERM 1
REBOOT
cat > "$root/sbin/lab-init" <<'INIT'
#!/bin/sh
# The first process of a lab host. `kill -9 -1` spares the caller when that is process 1.
sshd=
trap '[ -z "$sshd" ] || kill -9 "$sshd" 2> /dev/null' TERM
while :; do
  mount -t tmpfs -o mode=755 tmpfs /run
  mkdir -p /run/sshd /run/lock
  cat /proc/sys/kernel/random/uuid > /run/lab-boot-id
  mount --bind /run/lab-boot-id /proc/sys/kernel/random/boot_id
  /usr/sbin/sshd -D -e -f /dev/null -h /etc/ssh/host_key -o ListenAddress="$1" -o Port="$2" \
    -o UsePAM=no -o PasswordAuthentication=no -o MaxStartups=500 -o MaxSessions=100 -o UseDNS=no \
    -o PidFile=/run/sshd.pid -o PrintMotd=no &
  sshd=$!
  while kill -0 "$sshd" 2> /dev/null; do wait "$sshd"; done
  kill -9 -1 2> /dev/null
  umount /proc/sys/kernel/random/boot_id
  umount -l /run
done
INIT
chmod 755 "$root/sbin/lab-init" "$root/usr/sbin/reboot"
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
  chroot "$root" /sbin/lab-init "$address" "$port"
