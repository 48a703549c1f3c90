# Has the reboot of a key happened, and is the server up? Changes nothing.
# in: key
read_args
scratch; job_dir "$(arg key)"
[ -s "$DIR/boot-before" ] || say_absent "no reboot was asked for under this key"
now=$(boot_id)
[ "$(cat "$DIR/boot-before")" != "$now" ] || say_pending "not down yet"
if have systemctl; then
  case $(systemctl is-system-running 2>/dev/null </dev/null) in
    running | degraded | maintenance) ;;
    *) say_pending "still starting" ;;
  esac
fi
set +f
disks=$(for disk in /sys/block/*/size; do awk '$1 > 0 { print int($1 / 2097152) }' "$disk" 2>/dev/null; done | sort -un | head -n 64 | tr '\n' ',')
say_done "{\"boot_id\":$(quoted "$now"),\"disks_gib\":[${disks%,}]}"
