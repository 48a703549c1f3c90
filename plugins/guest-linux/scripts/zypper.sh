# SUSE with zypper. Same functions as apt.sh. Run for real against zypper 1.14 and a
# repository of RPMs, but never on a SUSE system: its patches with scripts and its locks are unproven.
ZYPPER="zypper --non-interactive --no-refresh"

zypper_state() { rpm -qa --qf "$RPM_LINE" | grep -v '^gpg-pubkey\.'; }
zypper_held() { zypper --non-interactive --xmlout locks 2>/dev/null </dev/null | sed -n 's/.*<name>\([^<]*\)<\/name>.*/\1/p' | sort -u; }
zypper_complaint() { sed 's/<[^>]*>//g' -- "$1" | grep -v '^ *$' | tail -n 2 | tr '\n' ' ' | cut -c1-400; }
zypper_lock_holder() { cat /run/zypp.pid 2>/dev/null; }
# zypper_known_trouble <code> <file>
zypper_known_trouble() {
  case $1 in
    7) say_retry "the package manager is locked by $(held_by "$(zypper_lock_holder)")" $LOCK_RETRY_MS ;;
    6) say_reject "no package source is enabled: add one" ;;
    106) say_retry "some package sources could not be refreshed: $(zypper_complaint "$2")" $NET_RETRY_MS ;;
  esac
  grep -q 'signature\|GPG' -- "$2" && say_reject "a package source cannot be trusted: $(zypper_complaint "$2")"
}
zypper_refresh() {
  zypper --non-interactive refresh >"$TMP/update" 2>&1 </dev/null; code=$?
  [ $code = 0 ] && return 0
  zypper_known_trouble $code "$TMP/update"
  say_retry "the package sources cannot be refreshed: $(zypper_complaint "$TMP/update")" $NET_RETRY_MS
}
# The <install-summary> of --xmlout: one <solvable> an element, in a list that says what happens to it.
zypper_parse() {
  tr '>' '\n' | awk '
    function attribute(key,  s) { s = $0; if (!sub(".* " key "=\"", "", s)) return ""; sub(/".*/, "", s); return s }
    /<to-(upgrade|downgrade|install|upgrade-change-arch|downgrade-change-arch|reinstall)( |$)/ { kind = "change" }
    /<to-remove( |$)/ { kind = "remove" }
    /<\/to-/ { kind = "" }
    kind != "" && /<solvable / && attribute("type") == "package" {
      name = attribute("name") "." attribute("arch")
      if (kind == "remove") print "!" name; else print name, attribute("edition")
    }'
}
zypper_with_from() {
  zypper_state | sort >"$TMP/have"
  awk 'FILENAME == ARGV[1] { from[$1] = $2; next } /^!/ { print; next } { print $1, ($1 in from ? from[$1] : "-"), $2, 0 }' "$TMP/have" -
}
# zypper_transaction <verb> [args]
zypper_transaction() {
  $ZYPPER --xmlout "$@" >"$TMP/sim" 2>"$TMP/sim.err" </dev/null; code=$?
  case $code in
    0 | 102 | 103) ;;
    *) zypper_known_trouble $code "$TMP/sim"; cat "$TMP/sim" >>"$TMP/sim.err"; return 1 ;;
  esac
  zypper_parse <"$TMP/sim" | zypper_with_from
}
zypper_specs() { awk '{ print $1 "=" $3 }' "$1"; }
# zypper_simulate <file of lines> [--allow-downgrades]
zypper_simulate() {
  zypper_transaction install --dry-run --no-recommends --auto-agree-with-licenses ${2:+--oldpackage} -- $(zypper_specs "$1")
}
zypper_plan() {
  if [ "$1" = true ]; then
    zypper_transaction patch --dry-run --category security --with-interactive --auto-agree-with-licenses >"$TMP/all" ||
      say_reject "zypper cannot install the security patches alone: $(zypper_complaint "$TMP/sim.err")"
    sed 's/ 0$/ 1/' "$TMP/all"
  else
    zypper_transaction update --dry-run --auto-agree-with-licenses >"$TMP/all" || say_reject "zypper cannot work out an update: $(zypper_complaint "$TMP/sim.err")"
    zypper_transaction patch --dry-run --category security --with-interactive --auto-agree-with-licenses >"$TMP/security" || : >"$TMP/security"
    awk 'FILENAME == ARGV[1] { cured[$1] = 1; next } /^!/ { print; next } { $4 = ($1 in cured) ? 1 : 0; print }' "$TMP/security" "$TMP/all"
  fi
}
# `id name`: the patch for the CVE, simulated.
zypper_cves() {
  while read -r id; do
    zypper_transaction patch --dry-run --cve "$id" --with-interactive --auto-agree-with-licenses | awk -v id="$id" '!/^!/ { print id, $1 }'
  done <"$2"
}
zypper_reboot_due() { zypper --non-interactive needs-rebooting >/dev/null 2>&1 </dev/null; [ $? = 102 ]; }
zypper_check() {
  rpm -qa >"$TMP/check" 2>&1 || say_reject "the package database is damaged: run 'rpm --rebuilddb' on the server, then retry. $(zypper_complaint "$TMP/check")" "$1"
  $ZYPPER --xmlout repos >"$TMP/check" 2>&1 </dev/null; zypper_known_trouble $? "$TMP/check"
}
zypper_room() {
  zypper_simulate "$1" >/dev/null
  tr ' ' '\n' <"$TMP/sim" | awk -F'"' '/^download-size=/ { get = $2 } /^space-usage-diff=/ { use = $2 } END { printf "%d %d\n", get / 1048576 + 1, (use > 0 ? use : 0) / 1048576 + 1 }'
}
zypper_auto_update() {
  for unit in transactional-update.timer packagekit-background.timer; do
    have systemctl && systemctl is-enabled -q "$unit" 2>/dev/null && echo "$unit"
  done
}
# 102 wants a reboot, 107 says that a script of a package failed though it was installed.
zypper_run() {
  mode=$1; lines=$2; shift 2
  old=; [ "$mode" = undo ] && old=--oldpackage
  $ZYPPER install --no-recommends --auto-agree-with-licenses $old "$@" -- $(zypper_specs "$lines"); code=$?
  case $code in 102 | 103) return 0 ;; esac
  return $code
}
zypper_download() { zypper_run "$1" "$2" --download-only; }
zypper_install() { zypper_run "$1" "$2"; }
# A failing scriptlet leaves no half-installed package behind in rpm.
zypper_damaged() { :; }
zypper_repair() { rpm -qa >/dev/null; }
zypper_verdict() {
  case $2 in
    7) echo "retry the package manager is locked by $(held_by "$(zypper_lock_holder)")" ;;
    104) echo "reject a version of the set can no longer be had: scan again. $(zypper_complaint "$1")" ;;
    107) echo "reject a package's own script failed: $(zypper_complaint "$1")" ;;
    *)
      if grep -q 'No space left\|needs .* more space' -- "$1"; then echo "reject the disk is full: free some room, then retry. $(zypper_complaint "$1")"
      elif grep -q 'Download (curl) error\|Timeout exceeded' -- "$1"; then echo "retry packages cannot be fetched: $(zypper_complaint "$1")"
      else echo "reject zypper failed: $(zypper_complaint "$1")"; fi ;;
  esac
}
