# Can the set be applied now? Changes nothing.
# in: set
read_args
scratch; find_backend
set_lines "$(arg set)" >"$TMP/set"

ROOM_MIB=100  # left over on every filesystem: logs and temporary files need it
BOOT_MIB=150  # a kernel with its initial ramdisk, when one is in the set

${BACKEND}_held >"$TMP/held"
free="{\"root\":$(free_mib /),\"var\":$(free_mib /var),\"boot\":$(free_mib /boot)}"
held=$(head -n 100 "$TMP/held" | quoted_list 2000)
# output <ok> <broken>; a held lock never gets here: it answers `retry` with who holds it.
output() { printf '{"ok":%s,"free_mib":%s,"lock":false,"broken":%s,"held":%s}' "$1" "$free" "$2" "$held"; }

${BACKEND}_check "$(output false true)"
# What is there already is no work.
${BACKEND}_state | sort >"$TMP/state"
awk 'FILENAME == ARGV[1] { have[$1 " " $2] = 1; next } !(($1 " " $3) in have)' "$TMP/state" "$TMP/set" >"$TMP/todo"
[ -s "$TMP/todo" ] || say_done "$(output true false)" '["everything is at its version already"]'

clash=$(awk 'FILENAME == ARGV[1] { held[$1] = 1; next } { bare = $1; sub(/[.:][^.:]*$/, "", bare); if ($1 in held || bare in held) print $1 }' "$TMP/held" "$TMP/todo" | tr '\n' ' ')
[ -z "$clash" ] || say_reject "held back on the server: $clash. Release them or freeze the set without them" "$(output false false)"

${BACKEND}_refresh
${BACKEND}_simulate "$TMP/todo" >"$TMP/would" ||
  say_reject "the set can no longer be applied as it is: $(${BACKEND}_complaint "$TMP/sim.err"). Scan again" "$(output false false)"
surprise=$(set_surprises "$TMP/todo" "$TMP/would")
[ -z "$surprise" ] || say_reject "the set is not what would happen: $surprise scan again" "$(output false false)"

${BACKEND}_room "$TMP/todo" >"$TMP/room"
read -r download files <"$TMP/room"
# same_filesystem <a> <b>
same_filesystem() { [ "$(stat -c %d "$1" 2>/dev/null)" = "$(stat -c %d "$2" 2>/dev/null)" ]; }
var_need=$((download + ROOM_MIB)); root_need=$((files + ROOM_MIB))
same_filesystem / /var && root_need=$((root_need + download))
short=
[ "$(free_mib /)" -ge $root_need ] || short="/ has $(free_mib /) MiB free and needs $root_need"
[ "$(free_mib /var)" -ge $var_need ] || short="${short:+$short, }/var has $(free_mib /var) MiB free and needs $var_need"
if grep -Eq '^(linux-image|kernel-core|kernel-default)' "$TMP/todo"; then
  [ "$(free_mib /boot)" -ge $BOOT_MIB ] || short="${short:+$short, }/boot has $(free_mib /boot) MiB free and needs $BOOT_MIB: remove old kernels"
fi
[ -z "$short" ] || say_reject "not enough room: $short" "$(output false false)"
say_done "$(output true false)"
