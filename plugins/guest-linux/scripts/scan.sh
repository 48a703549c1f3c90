# What the server needs, as a frozen set. Refreshes the package lists; changes no package.
# in: security_only, deadline_days, cve[]
read_args
security_only=$(arg security_only); deadline_days=$(arg deadline_days)
one_of "$security_only" true false || say_reject "security_only is true or false"
is_number "$deadline_days" || say_reject "deadline_days is a number of days"
scratch; state_home; find_backend
arg_list cve >"$TMP/cve"
grep -Evq '^CVE-[0-9]{4}-[0-9]{4,8}$' "$TMP/cve" && say_reject "a CVE id looks like CVE-2024-1234"

${BACKEND}_refresh
${BACKEND}_plan "$security_only" >"$TMP/plan"
removed=$(sed -n 's/^!//p' "$TMP/plan" | tr '\n' ' ')
[ -z "$removed" ] || say_reject "the upgrade would remove packages: $removed. Do it by hand"

evidence=
if [ -s "$TMP/cve" ]; then
  ${BACKEND}_cves "$TMP/plan" "$TMP/cve" >"$TMP/cured"
  if [ -s "$TMP/cured" ]; then
    awk 'FILENAME == ARGV[1] { cures[$2] = 1; next } $1 in cures { print $1, $2, $3 }' "$TMP/cured" "$TMP/plan" >"$TMP/wanted"
    ${BACKEND}_simulate "$TMP/wanted" >"$TMP/closed" || say_reject "the packages that cure it cannot be installed alone: $(${BACKEND}_complaint "$TMP/sim.err")"
    awk 'FILENAME == ARGV[1] { security[$1] = $4; next } { print $1, $2, $3, security[$1] + 0 }' "$TMP/plan" "$TMP/closed" >"$TMP/narrow"
    mv -- "$TMP/narrow" "$TMP/plan"
  else
    evidence="no source here says which package cures the CVE: the set is everything that the scan found"
  fi
fi

# A set must fit in a step's output. Security updates go first if not everything fits.
size=$(awk '{ size += length($1) + length($2) + length($3) + 3 } END { print size + 0 }' "$TMP/plan")
if [ "$size" -gt $SET_MAX_BYTES ]; then
  [ "$security_only" = false ] && [ ! -s "$TMP/cve" ] || say_reject "more updates are waiting ($size bytes) than one set can hold ($SET_MAX_BYTES): bring the server up to date by hand once"
  all=$(wc -l <"$TMP/plan")
  ${BACKEND}_plan true >"$TMP/narrow"
  mv -- "$TMP/narrow" "$TMP/plan"
  size=$(awk '{ size += length($1) + length($2) + length($3) + 3 } END { print size + 0 }' "$TMP/plan")
  [ "$size" -gt 0 ] && [ "$size" -le $SET_MAX_BYTES ] || say_reject "$all updates are waiting, more than one set can hold: bring the server up to date by hand once"
  evidence="$all updates are waiting, more than one set can hold: this set has the security updates; scan again after it"
fi
sort -u -o "$TMP/plan" "$TMP/plan"

# Since when has each update been waiting? Kept on the target, rewritten whole.
now=$(date +%s)
first=$HOME_DIR/first-seen
[ -f "$first" ] || : >"$first"
awk -v now="$now" 'FILENAME == ARGV[1] { since[$1] = $2; next } { key = $1 "=" $3; print key, (key in since ? since[key] : now) }' "$first" "$TMP/plan" >"$first.new" && {
  # A narrow scan must not forget what a wider one has seen: entries stay for a year.
  awk -v old=$((now - 31536000)) 'FILENAME == ARGV[1] { if (!($1 in seen)) print; seen[$1] = 1; next } !($1 in seen) && $2 > old && kept++ < 5000' "$first.new" "$first" >"$first.all" && mv -- "$first.all" "$first"
  rm -f -- "$first.new"
}
past=$(awk -v limit=$((now - deadline_days * 86400)) 'FILENAME == ARGV[1] { since[$1] = $2; next } { key = $1 "=" $3; if (key in since && since[key] < limit) n++ } END { print n + 0 }' "$first" "$TMP/plan")

${BACKEND}_held | head -n 100 >"$TMP/held"
held=$(quoted_list 2000 <"$TMP/held")
cve=$(cut -d' ' -f1 "$TMP/cured" 2>/dev/null | sort -u | head -n 100 | quoted_list 1500)
if [ ! -s "$TMP/cve" ] && [ $BACKEND = dnf ]; then
  dnf_notices --with-cve | awk 'FILENAME == ARGV[1] { in_set[$1] = 1; next } { arch = $2; sub(/.*\./, ".", arch); sub(/-[^-]*-[^-]*$/, "", $2); if (($2 arch) in in_set) print $1 }' "$TMP/plan" - |
    grep '^CVE-' | sort -u >"$TMP/cured"
  cve=$(head -n 100 "$TMP/cured" | quoted_list 1500)
fi
reboot=false
if ${BACKEND}_reboot_due || names_core <"$TMP/plan"; then reboot=true; fi

[ -z "$evidence" ] && evidence='[]' || evidence="[$(quoted "$evidence")]"
# The list for people gets what room is left of 16 KiB.
say_done "$(awk -v room=$((15000 - size - ${#held} - ${#cve})) -v held="$held" -v cve="$cve" -v past="$past" -v reboot=$reboot "$JSON_QUOTE"'
  { from = $2 == "-" ? "" : $2
    set = set (NR > 1 ? " " : "") $1 "=" from ">" $3
    security += $4
    item = "{\"name\":" q($1) ",\"from\":" q(from) ",\"to\":" q($3) ",\"security\":" ($4 ? "true" : "false") "}"
    if (shown < 200 && used + length(item) < room) { list = list (shown++ ? "," : "") item; used += length(item) + 1 } }
  END { printf "{\"set\":%s,\"count\":%d,\"packages\":[%s],\"held\":%s,\"reboot\":%s,\"security\":%d,\"past_deadline\":%d,\"cve\":%s}",
          q(set), NR, list, held, reboot, security, past, cve }' "$TMP/plan")" "$evidence"
