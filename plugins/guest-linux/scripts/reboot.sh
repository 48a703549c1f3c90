# Reboots once for a key, two seconds from now, so that this connection ends well. Never repeated for
# the same key: the boot identity before it is kept on the target.
# in: key
read_args
scratch; state_home; job_dir "$(arg key)"
if [ -s "$DIR/boot-before" ]; then
  [ "$(cat "$DIR/boot-before")" = "$(boot_id)" ] && say_pending "$(cat "$DIR/boot-before")"
  say_done '{}' '["it has rebooted already"]'
fi
booted_by_systemd || { have reboot && have setsid; } || say_reject "there is neither systemd nor a reboot command here: reboot it by hand"
mkdir -p -m 0700 -- "$DIR" && boot_id >"$DIR/boot-before.new" && sync && mv -- "$DIR/boot-before.new" "$DIR/boot-before" || say_reject "no room in $HOME_DIR"
if booted_by_systemd; then
  systemd-run -q --collect --on-active=2 --unit="hostler-reboot-$(arg key)" -- systemctl reboot || {
    rm -f -- "$DIR/boot-before"
    say_retry "systemd did not take the reboot" $LOCK_RETRY_MS
  }
else
  setsid -f sh -c 'sleep 2; exec reboot' >/dev/null 2>&1 </dev/null 3>&-
fi
say_pending "$(boot_id)"
