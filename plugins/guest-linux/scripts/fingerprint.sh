# What runs here: listening sockets, failed units, kernel. Changes nothing.
read_args
scratch
# Sockets that a visible process holds: in a container the kernel lists the neighbours' too.
find /proc -maxdepth 3 -path '/proc/[0-9]*/fd/*' -lname 'socket:*' -printf '%l\n' 2>/dev/null | tr -dc '0-9\n' | sort -u >"$TMP/fds"
# Ports of the ephemeral range belong to whoever came first and say nothing.
read -r low high </proc/sys/net/ipv4/ip_local_port_range 2>/dev/null || { low=32768; high=60999; }
for proto in tcp tcp6 udp udp6; do
  [ -r "/proc/net/$proto" ] || continue
  awk -v proto=$proto -v low="$low" -v high="$high" '
    function hex(s,  i, v) { v = 0; for (i = 1; i <= length(s); i++) v = v * 16 + index("0123456789ABCDEF", substr(s, i, 1)) - 1; return v }
    function v4(s) { return hex(substr(s, 7, 2)) "." hex(substr(s, 5, 2)) "." hex(substr(s, 3, 2)) "." hex(substr(s, 1, 2)) }
    function v6(s,  i, j, o) {
      if (s ~ /^0+$/) return "[::]"
      if (s == "00000000000000000000000001000000") return "[::1]"
      for (i = 0; i < 4; i++) for (j = 3; j >= 0; j--) o = o substr(s, i * 8 + j * 2 + 1, 2) ((j % 2 == 0 && i * 4 + 3 - j < 15) ? ":" : "")
      return "[" tolower(o) "]"
    }
    FILENAME == ARGV[1] { mine[$1] = 1; next }
    FNR == 1 || !($10 in mine) { next }
    ($4 == "0A") || (proto ~ /^udp/ && $4 == "07") {
      split($2, a, ":"); port = hex(a[2])
      if (port >= low && port <= high) next
      print substr(proto, 1, 3), (proto ~ /6$/ ? v6(a[1]) : v4(a[1])) ":" port
    }' "$TMP/fds" "/proc/net/$proto"
done | sort -u >"$TMP/listening"
: >"$TMP/failed"
if have systemctl; then systemctl list-units --failed --plain --no-legend --no-pager 2>/dev/null </dev/null | awk '{ print $1 }' | sort -u >"$TMP/failed"; fi
say_done "{\"listening\":$(head -n 500 "$TMP/listening" | quoted_list 8000),\"failed_units\":$(head -n 200 "$TMP/failed" | quoted_list 4000),\"kernel\":$(quoted "$(uname -r)")}"
