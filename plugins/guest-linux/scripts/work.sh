# The detached worker. Runs under `flock <dir>/lock`; its only answer is the file `result`.
# Calls: sh worker <dir>. No terminal, no connection, nobody listens.
DIR=$1
BACKEND=$(cat "$DIR/backend")
mode=$(cat "$DIR/mode")
exec >>"$DIR/log" 2>&1 </dev/null 3>&1
# Another worker was faster: its word stands.
[ ! -s "$DIR/result" ] || exit 0
tries=$(($(cat "$DIR/tries") + 1)); echo "$tries" >"$DIR/tries"
boot_id >"$DIR/boot.new" && { [ -e "$DIR/boot" ] || mv -- "$DIR/boot.new" "$DIR/boot"; }

end() { # end <verdict> [why]
  ${BACKEND}_state | sort >"$DIR/after"
  printf '%s\n' "$*" | tr -s ' \n' '  ' | cut -c1-900 >"$DIR/result.new" && mv -- "$DIR/result.new" "$DIR/result"
  exit 0
}
phase() { echo "$1" >"$DIR/phase"; echo "--- $1"; }
stop_if_asked() { [ ! -e "$DIR/cancel" ] || { [ "$tries" = 1 ] && end cancelled; end reject "stopped on request; an earlier try may have changed packages"; }; }
# The two functions that answer by themselves in a script would write to nobody here.
say_retry() { end retry "$1"; }
say_reject() { end reject "$1"; }
TMP=$DIR/tmp; rm -rf -- "$TMP"; mkdir -- "$TMP"

[ -s "$DIR/before" ] || { ${BACKEND}_state | sort >"$DIR/before.new" && mv -- "$DIR/before.new" "$DIR/before"; }
stop_if_asked
# What is half installed of its own set is what an undo is there to mend.
: >"$TMP/damaged"
[ "$mode" = undo ] && ${BACKEND}_damaged >"$TMP/damaged"
foreign=$(awk 'FILENAME == ARGV[1] { own[$1] = 1; next } !($1 in own)' "$DIR/set" "$TMP/damaged")
mends() { [ -s "$TMP/damaged" ] && [ -z "$foreign" ]; }
# An earlier try that was cut off by a power failure leaves packages half configured.
if [ "$tries" != 1 ] || mends; then phase repair; ${BACKEND}_repair; fi
${BACKEND}_state | sort >"$TMP/state"
awk 'FILENAME == ARGV[1] { have[$1 " " $2] = 1; next } !(($1 " " $3) in have)' "$TMP/state" "$DIR/set" >"$DIR/todo"
[ -s "$DIR/todo" ] || end done

phase check
mends || ${BACKEND}_check null
# The packages must be what the set says they were: somebody may have patched meanwhile.
moved=$(awk 'FILENAME == ARGV[1] { have[$1 " " $2] = 1; there[$1] = $2; next }
  FILENAME == ARGV[2] { torn[$1] = 1; next }
  ($2 == "-" || ($1 in torn)) ? 0 : !(($1 " " $2) in have) { print $1 " is " ($1 in there ? there[$1] : "gone") }' "$TMP/state" "$TMP/damaged" "$DIR/todo" | head -n 5 | tr '\n' ',')
[ "$tries" != 1 ] || [ -z "$moved" ] || end reject "packages changed since the scan: $moved scan again"
options=; [ "$mode" = undo ] && options=--allow-downgrades
# Between the check before the window and now the package lists may have gone.
${BACKEND}_simulate "$DIR/todo" $options >"$TMP/would" || { phase refresh; ${BACKEND}_refresh; ${BACKEND}_simulate "$DIR/todo" $options >"$TMP/would"; } || {
  cat "$TMP/sim.err"
  [ "$mode" = undo ] && end reject "the old versions cannot all be had: go back to the snapshot. $(${BACKEND}_complaint "$TMP/sim.err")"
  end $(${BACKEND}_verdict "$TMP/sim.err" 1)
}
surprise=$(set_surprises "$DIR/todo" "$TMP/would")
[ -z "$surprise" ] || end reject "the set is not what would happen: $surprise scan again"

phase download
${BACKEND}_download "$mode" "$DIR/todo" >"$TMP/out" 2>&1; code=$?
cat "$TMP/out"
[ $code = 0 ] || end $(${BACKEND}_verdict "$TMP/out" $code)
stop_if_asked
phase install
${BACKEND}_install "$mode" "$DIR/todo" >"$TMP/out" 2>&1; code=$?
cat "$TMP/out"
[ $code = 0 ] || end $(${BACKEND}_verdict "$TMP/out" $code)
${BACKEND}_state | sort >"$TMP/state"
left=$(awk 'FILENAME == ARGV[1] { have[$1 " " $2] = 1; next } !(($1 " " $3) in have) { print $1 }' "$TMP/state" "$DIR/set" | head -n 5 | tr '\n' ' ')
[ -z "$left" ] || end reject "the package manager ended well and yet these are not at their version: $left"
end done
