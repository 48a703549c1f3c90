# Fedora, RHEL and their kin with dnf 4. Same functions as apt.sh.
# Only without -q does dnf show what it would do.
DNF_TOLD="dnf --color=never --setopt=exit_on_lock=True --setopt=timeout=30 --setopt=retries=2"
DNF="$DNF_TOLD -q"
RPM_LINE='%{NAME}.%{ARCH} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\n'

dnf_state() { rpm -qa --qf "$RPM_LINE" | grep -v '^gpg-pubkey\.'; }
dnf_held() { dnf -q versionlock list 2>/dev/null </dev/null | grep -v '^Last metadata' | sed 's/^[0-9][0-9]*://; s/-[^-]*-[^-]*$//' | sort -u; }
dnf_complaint() { grep -v '^ *$' -- "$1" | tail -n 2 | tr '\n' ' ' | cut -c1-400; }
dnf_lock_holder() {
  set +f
  for file in /run/dnf.pid /var/lib/dnf/rpmdb_lock.pid /var/cache/dnf/*_lock.pid; do
    [ -s "$file" ] && { set -f; head -n 1 "$file"; return; }
  done
  set -f
}
# dnf_known_trouble <code> <file>
dnf_known_trouble() {
  [ "$1" = 200 ] && say_retry "the package manager is locked by $(held_by "$(dnf_lock_holder)")" $LOCK_RETRY_MS
  grep -q 'rpmdb\|DB_RUNRECOVERY\|database disk image' -- "$2" &&
    say_reject "the package database is damaged: run 'rpm --rebuilddb' on the server, then retry. $(dnf_complaint "$2")"
  grep -q 'GPG\|signature' -- "$2" && say_reject "a package source cannot be trusted: $(dnf_complaint "$2")"
}
dnf_refresh() {
  $DNF --refresh makecache >"$TMP/update" 2>&1 </dev/null; code=$?
  [ $code = 0 ] && return 0
  dnf_known_trouble $code "$TMP/update"
  say_retry "the package lists cannot be refreshed: $(dnf_complaint "$TMP/update")" $NET_RETRY_MS
}
# Spec of a line `name.arch from to` that dnf understands: name-evr.arch.
dnf_specs() { awk '{ dot = match($1, /\.[^.]*$/); print substr($1, 1, dot - 1) "-" $3 substr($1, dot) }' "$1"; }
# Rows of a transaction table: one blank before a row, more before what was wrapped. Removals are
# `!name`; what dnf replaces or cleans up counts as a removal too.
dnf_parse() {
  awk '
    function flush(  f, n, name) {
      if (row == "") return
      n = split(row, f, " "); name = f[1] "." f[2]
      if (n < 4) { print "!" row; row = ""; return }
      if (kind == "remove") print "!" name; else print name, f[3]
      row = ""
    }
    /^(Upgrading|Installing|Installing dependencies|Installing weak dependencies|Downgrading|Reinstalling):/ { flush(); kind = "change"; next }
    /^Removing.*:/ { flush(); kind = "remove"; next }
    /^(Transaction Summary|Skipping .*:|=+)/ { flush(); if ($0 !~ /^=/) kind = ""; next }
    kind == "" { next }
    /^ [^ ]/ { flush(); row = $0; next }
    /^  +/ { if ($1 == "replacing") print "!" $2; else row = row " " $0; next }
    { flush() }
    END { flush() }'
}
# `name.arch to` (standard input) -> `name.arch from to 0`, from by the newest installed one.
dnf_with_from() {
  dnf_state | sort >"$TMP/have"
  awk 'FILENAME == ARGV[1] { from[$1] = $2; next } /^!/ { print; next } { print $1, ($1 in from ? from[$1] : "-"), $2, 0 }' "$TMP/have" -
}
# dnf_transaction <verb> [spec...]: what dnf would really do.
dnf_transaction() {
  $DNF_TOLD -C --assumeno "$@" >"$TMP/sim.out" 2>"$TMP/sim.err" </dev/null; code=$?
  cat "$TMP/sim.out" "$TMP/sim.err" >"$TMP/sim"
  grep -q '^Nothing to do' -- "$TMP/sim" && return 0
  # --assumeno ends with 1 and says so; anything else is trouble.
  [ $code = 0 ] || grep -q 'Operation aborted' -- "$TMP/sim" || { dnf_known_trouble $code "$TMP/sim"; return 1; }
  dnf_parse <"$TMP/sim.out" | dnf_with_from
}
# dnf_simulate <file of lines> [--allow-downgrades]
dnf_simulate() {
  verb=upgrade; [ "${2:-}" = --allow-downgrades ] && verb=downgrade
  # Packages that are not there yet come as dependencies: dnf upgrades only what is installed.
  dnf_state | cut -d' ' -f1 | sort -u >"$TMP/there"
  awk 'FILENAME == ARGV[1] { there[$1] = 1; next } $1 in there' "$TMP/there" "$1" >"$TMP/there.lines"
  [ -s "$TMP/there.lines" ] || return 0
  dnf_transaction $verb $(dnf_specs "$TMP/there.lines")
}
# `advisory-or-CVE name-evr.arch` of updates that a notice names.
dnf_notices() { $DNF -C updateinfo list --updates "$@" 2>/dev/null </dev/null | awk 'NF >= 3 { print $1, $NF }'; }
dnf_plan() {
  if [ "$1" != true ]; then dnf_transaction upgrade >"$TMP/all" || say_reject "dnf cannot work out an upgrade: $(dnf_complaint "$TMP/sim")"
  else
    $DNF -C check-update >/dev/null 2>&1 </dev/null
    if [ $? = 100 ] && [ -z "$($DNF -C updateinfo list --all 2>/dev/null </dev/null | head -n 1)" ]; then
      say_reject "there are updates, but the package sources publish no security notices: scan with security_only false"
    fi
    dnf_transaction upgrade --security >"$TMP/all" || say_reject "dnf cannot install the security updates alone: $(dnf_complaint "$TMP/sim")"
  fi
  dnf_notices --security >"$TMP/security"
  # A notice names the version that cures, which may be older than the newest: match by name.
  awk 'FILENAME == ARGV[1] { spec = $2; arch = spec; sub(/.*\./, ".", arch); sub(/-[^-]*-[^-]*$/, "", spec); cured[spec arch] = 1; next }
    /^!/ { print; next } { $4 = ($1 in cured) ? 1 : 0; print }' "$TMP/security" "$TMP/all"
}
dnf_cves() {
  dnf_notices --with-cve | awk '
    FILENAME == ARGV[1] { id[$1]; next } FILENAME == ARGV[2] { pkg[$1]; next }
    { arch = $2; sub(/.*\./, ".", arch); sub(/-[^-]*-[^-]*$/, "", $2); if (($1 in id) && (($2 arch) in pkg)) print $1, $2 arch }' "$2" "$1" -
}
dnf_reboot_due() {
  dnf -q needs-restarting -r >"$TMP/restart" 2>/dev/null </dev/null
  # Code 1 alone may also be an error of dnf's.
  grep -q '^Reboot is required' -- "$TMP/restart"
}
dnf_check() {
  rpm -qa >"$TMP/check" 2>&1 || say_reject "the package database is damaged: run 'rpm --rebuilddb' on the server, then retry. $(dnf_complaint "$TMP/check")" "$1"
  $DNF -C repolist >"$TMP/check" 2>&1 </dev/null; dnf_known_trouble $? "$TMP/check"
  for file in /run/dnf.pid /var/lib/dnf/rpmdb_lock.pid; do
    pid=$(head -n 1 -- "$file" 2>/dev/null)
    is_number "$pid" && [ -d "/proc/$pid" ] && say_retry "the package manager is locked by $(held_by "$pid")" $LOCK_RETRY_MS
  done
}
dnf_room() {
  dnf_simulate "$1" >/dev/null
  awk 'function mib(v, u) { return u == "k" ? v / 1024 + 1 : u == "M" ? v : u == "G" ? v * 1024 : 1 }
    /^Total download size: / { get = mib($4, $5) } /^Total size: / { get = mib($3, $4) } /^Installed size: / { use = mib($3, $4) } END { printf "%d %d\n", get + 1, (use ? use : get * 3) + 1 }' "$TMP/sim"
}
dnf_auto_update() {
  for unit in dnf-automatic.timer dnf-automatic-install.timer; do
    have systemctl && systemctl is-enabled -q "$unit" 2>/dev/null && echo "$unit"
  done
}

# Work on the target, called by the detached worker only.
dnf_run() {
  mode=$1; lines=$2; shift 2
  verb=upgrade; [ "$mode" = undo ] && verb=downgrade
  dnf_state | cut -d' ' -f1 | sort -u >"$DIR/there"
  awk 'FILENAME == ARGV[1] { there[$1] = 1; next } $1 in there' "$DIR/there" "$lines" >"$DIR/there.lines"
  # Only what has been seen in the simulation: no surprise from a mirror that moved meanwhile.
  $DNF -C -y "$@" $verb $(dnf_specs "$DIR/there.lines")
}
dnf_download() {
  mode=$1; lines=$2
  verb=upgrade; [ "$mode" = undo ] && verb=downgrade
  dnf_state | cut -d' ' -f1 | sort -u >"$DIR/there"
  awk 'FILENAME == ARGV[1] { there[$1] = 1; next } $1 in there' "$DIR/there" "$lines" >"$DIR/there.lines"
  $DNF -y --downloadonly $verb $(dnf_specs "$DIR/there.lines")
}
# rpm installs a package whose script failed and ends well; that is no success.
dnf_install() {
  dnf_run "$1" "$2" >"$DIR/said" 2>&1; code=$?
  cat -- "$DIR/said"
  [ $code = 0 ] && grep -q 'scriptlet failed\|Error in .* scriptlet' -- "$DIR/said" && code=1
  return $code
}
# A failing scriptlet leaves no half-installed package behind in rpm.
dnf_damaged() { :; }
dnf_repair() { rpm -qa >/dev/null; }
dnf_verdict() {
  if [ "$2" = 200 ]; then echo "retry the package manager is locked by $(held_by "$(dnf_lock_holder)")"
  elif grep -q 'No space left\|needs .* more space\|Disk Requirements' -- "$1"; then echo "reject the disk is full: free some room, then retry. $(dnf_complaint "$1")"
  elif grep -q 'No match for argument\|No packages marked' -- "$1"; then echo "reject a version of the set can no longer be had: scan again. $(dnf_complaint "$1")"
  elif grep -q 'GPG\|signature' -- "$1"; then echo "reject a package cannot be trusted: $(dnf_complaint "$1")"
  elif grep -q 'scriptlet' -- "$1"; then echo "reject a package's own script failed (its files are in place): $(grep 'scriptlet' -- "$1" | head -n 2 | tr '\n' ' ')"
  elif grep -q 'Cannot download\|Curl error\|No more mirrors' -- "$1"; then echo "retry packages cannot be fetched: $(dnf_complaint "$1")"
  else echo "reject dnf failed: $(dnf_complaint "$1")"; fi
}
