# The state of one detached piece of work, shared by start, status and cancel.
# /var/lib/hostler/<idempotency key>/:
#   set       `name from to`, what to bring to `to`
#   mode      apply | undo          lane      whose work it is
#   before    packages before the first try; never overwritten
#   after     packages afterwards
#   phase     download | install    cancel    somebody wants it stopped
#   tries     how often a worker began           attempt   of the engine that last started it
#   result    `done`, `retry why`, `reject why` or `cancelled`; written last, by rename
#   log       everything the package manager said
#   lock      held (flock) by the worker as long as it lives
DIR=
job_dir() { is_key "$1" || say_reject "the idempotency key is not a UUID"; DIR=$HOME_DIR/$1; }
# A worker lives exactly as long as the lock is held.
job_runs() { [ -e "$DIR/lock" ] && ! flock -n "$DIR/lock" true; }
job_phase() { cat "$DIR/phase" 2>/dev/null || echo starting; }

# Answers with what has become of the work. 0-tries and dead workers are the caller's.
job_answer() {
  read -r verdict why <"$DIR/result" || verdict=
  case $verdict in
    done) job_done ;;
    retry) say_retry "$why" $LOCK_RETRY_MS ;;
    cancelled) say_reject "stopped before anything was changed" '{"cancelled":true,"changed":[]}' ;;
    *) job_changes; say_reject "${why:-the work ended without a reason}" "{\"changed\":$CHANGES}" ;;
  esac
}
# What is different now: CHANGES as JSON, from the lists before and after.
job_changes() {
  CHANGES=$(awk -v max=$LIST_MAX_BYTES "$JSON_QUOTE"'
    FILENAME == ARGV[1] { before[$1 " " $2] = 1; old[$1] = $2; next }
    { after[$1 " " $2] = 1; there[$1] = 1 }
    !(($1 " " $2) in before) { add($1, old[$1], $2) }
    function add(n, f, t,  item) {
      item = "{\"name\":" q(n) ",\"from\":" q(f) ",\"to\":" q(t) "}"
      if (used + length(item) < max) { list = list (list == "" ? "" : ",") item; used += length(item) + 1 }
    }
    END { for (n in old) if (!(n in there)) add(n, old[n], ""); printf "[%s]", list }' "$DIR/before" "$DIR/after" 2>/dev/null)
  CHANGES=${CHANGES:-[]}
}
job_done() {
  job_changes
  due=false
  # A core package that changed after the boot asks for a reboot even where no tool says so.
  if ${BACKEND}_reboot_due; then due=true
  elif printf '%s\n' "$CHANGES" | tr '{' '\n' | sed -n 's/^"name":"\([^"]*\)".*/\1/p' | names_core &&
    [ "$(cat "$DIR/boot" 2>/dev/null)" = "$(boot_id)" ]; then due=true; fi
  say_done "{\"changed\":$CHANGES,\"rebooted\":false,\"reboot_needed\":$due}"
}
