# Starts applying (or undoing) a set, detached from this connection, at most once at a time for a key.
# in: key, lane, attempt, mode, set (undo: may be missing, then the last applied by the lane)
TRIES_MAX=3      # a worker that died three times will die again
JOBS_KEPT=50     # finished work stays readable that long, for evidence and undo
read_args
mode=$(arg mode); lane=$(arg lane); attempt=$(arg attempt)
one_of "$mode" apply undo || say_reject "mode is apply or undo"
is_key "$lane" || say_reject "the lane is not a UUID"
is_number "$attempt" || say_reject "the attempt is not a number"
scratch; state_home; find_backend; job_dir "$(arg key)"
have flock && have setsid || say_reject "flock and setsid are missing: install util-linux"

# A worker waits a moment for the lock, because whoever asks whether one runs holds it for an instant.
last_of_lane() {
  set +f
  for job in $(ls -t "$HOME_DIR"); do
    [ "$(cat "$HOME_DIR/$job/lane" 2>/dev/null)" = "$lane" ] && [ "$(cat "$HOME_DIR/$job/mode")" = apply ] && { set -f; cat "$HOME_DIR/$job/set"; return; }
  done
  set -f
}
# prepare: everything that the worker reads, complete before the directory has its name.
prepare() {
  if printf '%s\n' "$ARGS" | grep -q '^set='; then set_lines "$(arg set)" >"$TMP/set"
  elif [ "$mode" = undo ]; then
    last_of_lane >"$TMP/set"
    [ -s "$TMP/set" ] || say_reject "nothing was applied here by this lane: name the set to undo"
  else say_reject "the set is missing"; fi
  if [ "$mode" = undo ]; then
    # What was not there before stays: taking packages away is never safe unattended.
    awk '$2 != "-" { print $1, $3, $2 }' "$TMP/set" >"$TMP/back" && mv -- "$TMP/back" "$TMP/set"
  fi
  new=$HOME_DIR/new.$$
  rm -rf -- "$new"; mkdir -m 0700 -- "$new" || say_reject "no room in $HOME_DIR"
  cp -- "$TMP/set" "$new/set" && printf '%s\n' "$mode" >"$new/mode" && printf '%s\n' "$lane" >"$new/lane" &&
    printf '0\n' >"$new/tries" && : >"$new/lock" && printf '%s\n' "$BACKEND" >"$new/backend" && worker_text >"$new/worker" ||
    { rm -rf -- "$new"; say_reject "no room in $HOME_DIR"; }
  # One rename: whoever is first has made the work, the other one finds it.
  mv -T -- "$new" "$DIR" 2>/dev/null || rm -rf -- "$new"
}
prune() {
  ls -t "$HOME_DIR" | tail -n +$((JOBS_KEPT + 1)) | while read -r job; do
    is_key "$job" && [ -s "$HOME_DIR/$job/result" ] && rm -rf -- "$HOME_DIR/$job"
  done
}
launch() {
  if booted_by_systemd; then
    systemd-run -q --collect --unit="hostler-$(arg key)" --property=KillMode=process -- flock -w 5 "$DIR/lock" sh "$DIR/worker" "$DIR" ||
      job_runs || say_retry "systemd could not start the work" $LOCK_RETRY_MS
  else
    setsid -f flock -w 5 "$DIR/lock" sh "$DIR/worker" "$DIR" >/dev/null 2>&1 </dev/null 3>&-
  fi
}

[ -d "$DIR" ] || { prune; prepare; }
[ -e "$DIR/set" ] || say_reject "$DIR is not the state of a set: remove it"
job_runs && say_pending "$(job_phase)"
if [ -s "$DIR/result" ]; then
  read -r verdict _why <"$DIR/result"
  # Done stays done. Anything else is tried again only by a newer attempt: a late twin changes nothing.
  if [ "$verdict" = done ] || [ "$attempt" -le "$(cat "$DIR/attempt" 2>/dev/null || echo 0)" ]; then job_answer; fi
  rm -f -- "$DIR/result" "$DIR/cancel"; printf '0\n' >"$DIR/tries"
fi
tries=$(cat "$DIR/tries")
[ "$tries" -lt $TRIES_MAX ] || say_reject "the work died $tries times on the server: look at $DIR/log"
printf '%s\n' "$attempt" >"$DIR/attempt"
launch
say_pending starting
