#!/bin/bash
# boot.sh DIR CGROUP PROGRAM [ARGUMENT ...]: a machine of its own whose PID 1 is PROGRAM.
#
# Its root is this machine's root, read only, with DIR/etc, DIR/usr, … laid over it and
# whatever it writes kept in memory; own processes, mounts, network, cgroups (below
# CGROUP).  Called by test_boot.py; everything goes with the death of PID 1.
set -eu
dir=$1 group=$2
shift 2
if [ "${BOOT_INSIDE:-}" != yes ]; then
	mkdir -p "$group"
	echo $$ >"$group/cgroup.procs"
	BOOT_INSIDE=yes exec unshare --mount --pid --fork --kill-child --cgroup --uts --ipc --net \
		"$0" "$dir" "$group" "$@"
fi
root=$dir/mnt/root
mount --make-rprivate /
mkdir -p "$dir/mnt"
mount -t tmpfs tmpfs "$dir/mnt"
mkdir -p "$dir/mnt/upper" "$dir/mnt/work" "$root"
cp -a "$dir/over/." "$dir/mnt/upper"
mount -t overlay overlay -o "lowerdir=/,upperdir=$dir/mnt/upper,workdir=$dir/mnt/work" "$root"
mount -t proc proc "$root/proc"
mount --bind /proc/sys "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs sysfs "$root/sys"
mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
for place in run tmp dev var/log; do
	mount -t tmpfs -o mode=755 tmpfs "$root/$place"
done
for name in null zero full random urandom tty; do
	touch "$root/dev/$name"
	mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
touch "$root/dev/console"
ip link set lo up
exec env -i container=test PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	LC_ALL=C.UTF-8 chroot "$root" "$@"
