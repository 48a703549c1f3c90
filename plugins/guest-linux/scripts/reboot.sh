# Reboots once for a key, two seconds from now, so that this connection ends well. Never repeated for
# the same key: the boot identity before it is kept on the target.
# in: key
read_args
scratch; state_home; job_dir "$(arg key)"
if [ -s "$DIR/boot-before" ]; then
  [ "$(cat "$DIR/boot-before")" = "$(boot_id)" ] && say_pending "$(cat "$DIR/boot-before")"
  say_done "{\"boot_id\":$(quoted "$(boot_id)")}"
fi
booted_by_systemd || say_reject "this server is not run by systemd: it cannot be rebooted safely from here, reboot it by hand"
mkdir -p -m 0700 -- "$DIR" && boot_id >"$DIR/boot-before.new" && sync && mv -- "$DIR/boot-before.new" "$DIR/boot-before" || say_reject "no room in $HOME_DIR"
systemd-run -q --collect --on-active=2 --unit="hostler-reboot-$(arg key)" -- systemctl reboot || {
  rm -f -- "$DIR/boot-before"
  say_retry "systemd did not take the reboot" $LOCK_RETRY_MS
}
say_pending "$(boot_id)"
