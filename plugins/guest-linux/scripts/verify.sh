# Is every package of the set at its version? Changes nothing.
# in: set
read_args
scratch; find_backend
set_lines "$(arg set)" >"$TMP/set"
${BACKEND}_state | sort >"$TMP/state"
awk 'FILENAME == ARGV[1] { have[$1 " " $2] = 1; any[$1] = $2; next } !(($1 " " $3) in have) { print $1, $3, any[$1] }' "$TMP/state" "$TMP/set" >"$TMP/missing"
missing=$(awk -v max=$LIST_MAX_BYTES "$JSON_QUOTE"'
  { item = "{\"name\":" q($1) ",\"want\":" q($2) ",\"have\":" q($3) "}"; if (used + length(item) < max) { list = list (list == "" ? "" : ",") item; used += length(item) + 1 } }
  END { printf "[%s]", list }' "$TMP/missing")
if [ -s "$TMP/missing" ]; then
  say_reject "$(wc -l <"$TMP/missing") packages are not at their version, first $(head -n 1 "$TMP/missing" | cut -d' ' -f1)" "{\"ok\":false,\"missing\":$missing}"
fi
say_done '{"ok":true,"missing":[]}' "[$(quoted "$(wc -l <"$TMP/set") packages are at their versions")]"
