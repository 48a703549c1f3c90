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
say_done "{\"boot_id\":$(quoted "$now")}"
