# Prelude of every script: arguments in, one JSON answer out.
# Arguments are one JSON object on one line of standard input; the answer is the last line of standard output.
# Data never becomes code or options here: no eval, no unquoted expansion of an argument, names and
# versions are checked before any tool sees them and stand behind `--`. POSIX sh and any awk only:
# the target may have neither perl modules, python nor jq.
set -u
set -f
LC_ALL=C
LANGUAGE=
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL LANGUAGE PATH
umask 022
# Answers go to the real standard output even from inside a function whose output is redirected.
# (Not from a pipe or `$()`: what answers is never called there.)
exec 3>&1

HOME_DIR=/var/lib/hostler  # our state on the target
INPUT_MAX_BYTES=65536      # the largest honest input is a 12 KiB set
SET_MAX_BYTES=12288        # a step's output is 16 KiB, the set must leave room in it
LIST_MAX_BYTES=12000       # lists in an output
LOCK_RETRY_MS=60000        # package managers rarely hold their lock longer than minutes
NET_RETRY_MS=120000        # mirrors come back within minutes or not at all

# --- JSON in ---------------------------------------------------------------------------------
# A strict reader: prints `path=value` a line, or `!reason`. Control characters are refused, even
# escaped: no argument needs them and a value must never span lines.
JSON_READER='
function fail(why) { print "!" why " at byte " p; failed = 1; exit 3 }
function space(  c) { while (p <= n) { c = substr(t, p, 1); if (c != " " && c != "\t" && c != "\n" && c != "\r") break; p++ } }
function hex4(  i, d, v) {
  v = 0
  for (i = 1; i <= 4; i++) {
    d = index("0123456789abcdef", tolower(substr(t, p + i, 1)))
    if (d == 0 || p + i > n) fail("bad unicode escape")
    v = v * 16 + d - 1
  }
  p += 4
  return v
}
function utf8(v) {
  if (v < 128) return sprintf("%c", v)
  if (v < 2048) return sprintf("%c%c", 192 + int(v / 64), 128 + v % 64)
  if (v < 65536) return sprintf("%c%c%c", 224 + int(v / 4096), 128 + int(v / 64) % 64, 128 + v % 64)
  return sprintf("%c%c%c%c", 240 + int(v / 262144), 128 + int(v / 4096) % 64, 128 + int(v / 64) % 64, 128 + v % 64)
}
function unescape(  c, v, w) {
  p++; c = substr(t, p, 1)
  if (c == "\"" || c == "\\" || c == "/") return c
  if (c != "u") fail("control character or bad escape")
  v = hex4()
  if (v < 32 || v == 127) fail("control character")
  if (v >= 56320 && v <= 57343) fail("lone surrogate")
  if (v >= 55296 && v <= 56319) {
    if (substr(t, p + 1, 2) != "\\u") fail("lone surrogate")
    p += 2; w = hex4()
    if (w < 56320 || w > 57343) fail("lone surrogate")
    v = 65536 + (v - 55296) * 1024 + w - 56320
  }
  return utf8(v)
}
function string(  c, s, rest) {
  if (substr(t, p, 1) != "\"") fail("string expected")
  p++; s = ""
  while (p <= n) {
    rest = substr(t, p, 256)
    if (match(rest, /^[^"\\\001-\037\177]+/)) { s = s substr(rest, 1, RLENGTH); p += RLENGTH; continue }
    c = substr(t, p, 1)
    if (c == "\"") { p++; return s }
    if (c != "\\") fail("control character")
    s = s unescape(); p++
  }
  fail("string without end")
}
function word(  rest) {
  rest = substr(t, p, 64)
  if (match(rest, /^(true|false|null)/)) { }
  else if (!match(rest, /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/)) fail("value expected")
  p += RLENGTH
  if (substr(t, p, 1) !~ /^[] ,}\t\n\r]?$/) fail("value expected")
  return substr(rest, 1, RLENGTH)
}
function object(path, depth,  key, c) {
  p++; space()
  if (substr(t, p, 1) == "}") { p++; return }
  while (1) {
    space(); key = string()
    if (key !~ /^[a-z][a-z0-9_]*$/ || length(key) > 64) fail("bad field name")
    key = path key
    if (key in seen) fail("field given twice")
    seen[key] = 1
    space(); if (substr(t, p, 1) != ":") fail("colon expected")
    p++; value(key, depth); space(); c = substr(t, p, 1); p++
    if (c == "}") return
    if (c != ",") fail("comma expected")
  }
}
function array(path, depth,  i, c) {
  p++; space(); i = 0
  if (substr(t, p, 1) == "]") { p++; return }
  while (1) {
    value(path "." i, depth); i++; space(); c = substr(t, p, 1); p++
    if (i > 2000) fail("list too long")
    if (c == "]") return
    if (c != ",") fail("comma expected")
  }
}
function value(path, depth,  c) {
  if (depth > 4) fail("nested too deep")
  space(); c = substr(t, p, 1)
  if (c == "{") object(path ".", depth + 1)
  else if (c == "[") array(path, depth + 1)
  else if (c == "\"") out[++outs] = path "=" string()
  else out[++outs] = path "=" word()
}
{ t = t $0 "\n" }
END {
  if (failed) exit 3
  n = length(t); p = 1; outs = 0
  if (n > max) fail("input too long")
  space(); if (substr(t, p, 1) != "{") fail("object expected")
  object("", 1); space(); if (p <= n) fail("text after the object")
  for (i = 1; i <= outs; i++) print out[i]
}'

# --- JSON out --------------------------------------------------------------------------------
# For awk programs: q(s) is a JSON string. What is not printable ASCII becomes `?`.
JSON_QUOTE='function q(s) { gsub(/[^ -~]/, "?", s); gsub(/\\/, "&&", s); gsub(/"/, "\\\"", s); return "\"" s "\"" }
'
quoted() { printf '%s' "$1" | awk "$JSON_QUOTE"'{ t = t (NR > 1 ? " " : "") $0 } END { printf "%s", q(substr(t, 1, 1000)) }'; }
# Lines of standard input as a JSON list of strings, cut at $1 bytes.
quoted_list() { awk -v max="$1" "$JSON_QUOTE"'$0 != "" { s = q($0); if (size + length(s) < max) { t = t (t == "" ? "" : ",") s; size += length(s) + 1 } } END { printf "[%s]", t }'; }

say_done() { printf '{"say":"done","output":%s,"evidence":%s}\n' "$1" "${2:-[]}" >&3; exit 0; }
say_pending() { printf '{"say":"pending","reason":%s}\n' "$(quoted "$1")" >&3; exit 0; }
say_absent() { printf '{"say":"absent","reason":%s}\n' "$(quoted "$1")" >&3; exit 0; }
say_dead() { printf '{"say":"dead","reason":%s}\n' "$(quoted "$1")" >&3; exit 0; }
say_retry() { printf '{"say":"retry","reason":%s,"after_ms":%s}\n' "$(quoted "$1")" "$2" >&3; exit 0; }
say_reject() { printf '{"say":"reject","reason":%s,"output":%s}\n' "$(quoted "$1")" "${2:-null}" >&3; exit 0; }

# --- arguments -------------------------------------------------------------------------------
ARGS=
read_args() {
  IFS= read -r ARGS || [ -n "$ARGS" ] || say_reject "the arguments are missing"
  ARGS=$(printf '%s\n' "$ARGS" | awk -v max="$INPUT_MAX_BYTES" "$JSON_READER") ||
    say_reject "the arguments are not acceptable JSON: ${ARGS#!}"
}
# arg <name>: value of a field, empty when it is missing. The name is a literal of our scripts.
arg() { printf '%s\n' "$ARGS" | sed -n "s/^$1=//p"; }
arg_list() { printf '%s\n' "$ARGS" | sed -n "s/^$1\\.[0-9][0-9]*=//p"; }
# one_of <value> <allowed>...
one_of() {
  wanted=$1; shift
  for allowed in "$@"; do [ "$wanted" = "$allowed" ] && return 0; done
  return 1
}
is_key() { printf '%s\n' "$1" | grep -Eqx '[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}'; }
is_number() { case $1 in '' | *[!0-9]*) return 1 ;; esac; [ ${#1} -le 9 ]; }

# set_lines <set>: `name from to` a line; from is `-` for a package that was not there. A trailing
# `-` or `+` of a version would mean "remove" to apt, so it is no version here.
set_lines() {
  [ ${#1} -le $SET_MAX_BYTES ] || say_reject "the set is longer than $SET_MAX_BYTES bytes: scan again"
  lines=$(printf '%s\n' "$1" | awk '
    function version(s) { return length(s) <= 200 && s ~ /^[0-9A-Za-z][0-9A-Za-z.+:~^_-]*$/ && s ~ /[0-9A-Za-z~]$/ }
    function name(s) { return length(s) <= 200 && s ~ /^[0-9A-Za-z][0-9A-Za-z.+:~_-]*$/ }
    { n = split($0, items, " ")
      for (i = 1; i <= n; i++) {
        eq = index(items[i], "="); gt = index(items[i], ">")
        from = substr(items[i], eq + 1, gt - eq - 1); to = substr(items[i], gt + 1); key = substr(items[i], 1, eq - 1)
        if (!eq || gt < eq || !name(key) || !version(to) || (from != "" && !version(from)) || key in seen) { print "!" i; exit 3 }
        seen[key] = 1; print key, (from == "" ? "-" : from), to
      } }') || say_reject "entry ${lines##*!} of the set is not name=from>to with a plain name and versions: scan again"
  printf '%s' "$lines${lines:+
}"
}

# set_surprises <wanted lines> <simulated lines>: what differs, for people; empty when it is the set.
set_surprises() {
  awk 'FILENAME == ARGV[1] { want[$1 " " $3] = 1; next }
    /^!/ { print "remove " substr($0, 2); next }
    { did[$1 " " $3] = 1 } !(($1 " " $3) in want) { print $1 " to " $3 }
    END { for (item in want) if (!(item in did)) print "not " item }' "$1" "$2" | sort | head -n 10 | tr '\n' ';'
}

have() { command -v "$1" >/dev/null 2>&1; }
booted_by_systemd() { [ -d /run/systemd/system ] && have systemd-run; }
boot_id() { cat /proc/sys/kernel/random/boot_id; }
free_mib() { df -Pk -- "$1" 2>/dev/null | awk 'NR == 2 { print int($4 / 1024); ok = 1 } END { if (!ok) print 0 }'; }
# held_by <pid>: who holds a lock and since when, for people.
held_by() {
  is_number "$1" && [ -r "/proc/$1/stat" ] || { printf 'a process that has gone'; return; }
  awk -v pid="$1" -v hz="$(getconf CLK_TCK 2>/dev/null || echo 100)" '
    FILENAME == "/proc/uptime" { up = $1; next }
    { name = $0; sub(/^[^(]*\(/, "", name); sub(/\).*/, "", name); rest = $0; sub(/.*\) /, "", rest); split(rest, f, " ")
      printf "process %d (%s), running for %d s", pid, name, up - f[20] / hz }' /proc/uptime "/proc/$1/stat"
}

TMP=
scratch() {
  TMP=$(mktemp -d /tmp/hostler.XXXXXX) || say_reject "no scratch directory can be made in /tmp: free some room there"
  trap 'rm -rf -- "$TMP" ${TOOLS:+"$TOOLS"}' EXIT
}
state_home() { mkdir -p -m 0700 -- "$HOME_DIR" || say_reject "$HOME_DIR cannot be made: is the disk full or read-only?"; }

# Which package manager: what the distribution says, else what is there.
BACKEND=
find_backend() {
  like=" $(sed -n 's/^ID\(_LIKE\)\{0,1\}=//p' /etc/os-release 2>/dev/null | tr -d '"'"'" | tr '\n' ' ')"
  case $like in
    *" debian "* | *" ubuntu "*) BACKEND=apt ;;
    *" rhel "* | *" fedora "* | *" centos "*) BACKEND=dnf ;;
    *" suse "* | *" opensuse "* | *" sles "*) BACKEND=zypper ;;
    *) for tool in apt-get dnf zypper; do have $tool && { BACKEND=${tool%-get}; break; }; done ;;
  esac
  case $BACKEND in
    apt) have apt-get && have dpkg-query ;;
    dnf | zypper) have $BACKEND && have rpm ;;
    *) false ;;
  esac || say_reject "no supported package manager here (apt, dnf or zypper)"
}

# Packages after which only a reboot makes the new code run everywhere.
CORE_PACKAGES='^(linux-image|kernel|glibc|libc6|systemd|dbus|linux-firmware|firmware-)'
# A core package among the `name from to` lines of standard input?
names_core() { cut -d' ' -f1 | grep -Eq "$CORE_PACKAGES"; }
