# Debian and Ubuntu. Every backend has the same functions: refresh, plan, held, reboot_due, state,
# damaged, check, simulate, download, install, and speaks `name from to` lines.
APT="apt-get -q -o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o Acquire::https::Timeout=30 -o Dpkg::Use-Pty=0 -o APT::Get::Show-User-Simulation-Note=false"

# `name version` of what is installed; names of foreign architectures carry them.
apt_state() {
  dpkg-query -W -f='${Package} ${Architecture} ${Version} ${db:Status-Status}\n' |
    awk -v native="$(dpkg --print-architecture)" '$4 == "installed" { print ($2 == native || $2 == "all" ? $1 : $1 ":" $2), $3 }'
}
apt_held() { apt-mark showhold 2>/dev/null; }

# Names of packages that are neither fully there nor fully gone.
apt_damaged() {
  dpkg-query -W -f='${Package} ${Architecture} ${db:Status-Status}\n' |
    awk -v native="$(dpkg --print-architecture)" '$3 ~ /^(half-|unpacked|triggers-)/ { print ($2 == native || $2 == "all" ? $1 : $1 ":" $2) }'
}

# Last complaint of apt in the file $1.
apt_complaint() { grep -E '^(E|dpkg): ' -- "$1" | tail -n 2 | tr '\n' ' ' | cut -c1-400; }
apt_lock_holder() { sed -n 's/.*held by process \([0-9][0-9]*\).*/\1/p' -- "$1" | tail -n 1; }
# Answers for what went wrong when the file $1 says so: a held lock or a damaged database.
apt_known_trouble() {
  if grep -q 'Could not get lock\|Unable to acquire\|Unable to lock' -- "$1"; then
    say_retry "the package manager is locked by $(held_by "$(apt_lock_holder "$1")")" $LOCK_RETRY_MS
  fi
  if grep -q 'dpkg was interrupted\|--fix-broken\|Unmet dependencies' -- "$1"; then
    say_reject "the package database is damaged: run 'dpkg --configure -a' and 'apt-get -f install' on the server, then retry. $(apt_complaint "$1")"
  fi
}
apt_refresh() {
  $APT -o APT::Update::Error-Mode=any update >"$TMP/update" 2>&1 </dev/null && return 0
  apt_known_trouble "$TMP/update"
  grep -q 'NO_PUBKEY\|is not signed\|EXPKEYSIG\|REVKEYSIG\|BADSIG' -- "$TMP/update" &&
    say_reject "a package source cannot be trusted: $(apt_complaint "$TMP/update")"
  say_retry "the package lists cannot be refreshed: $(apt_complaint "$TMP/update")" $NET_RETRY_MS
}

# Simulated changes as `name from to security`; a removal is `!name`.
apt_parse() {
  awk '$1 == "Remv" { print "!" $2 }
    $1 == "Inst" {
      name = $2; from = "-"; at = 3
      if ($3 ~ /^\[/) { from = $3; gsub(/[][]/, "", from); at = 4 }
      to = $at; sub(/^\(/, "", to)
      source = $0; sub(/^[^(]*\(/, "", source); sub(/\).*/, "", source)
      print name, from, to, (source ~ /(Debian-Security:|-security[ ,]|-security$)/ ? 1 : 0)
    }'
}
# Names (standard input) with a security release between the installed and the candidate version:
# a later ordinary release hides it from the simulation.
apt_hidden_security() {
  xargs -r apt-cache policy -- 2>/dev/null | awk '
    /^[^ ].*:$/ { name = substr($0, 1, length($0) - 1); above = 0 }
    /^  Version table:/ { above = 1; next }
    above && /^ \*\*\* / { above = 0 }
    above && /^ +-?[0-9]+ .*-security\// { if (!(name in out)) { out[name] = 1; print name } }'
}
# apt_plan <security only>: `name from to security` of everything that should change.
apt_plan() {
  $APT -s -o Debug::NoLocking=1 --with-new-pkgs upgrade >"$TMP/sim" 2>"$TMP/sim.err" </dev/null || {
    apt_known_trouble "$TMP/sim.err"
    say_reject "apt cannot work out an upgrade: $(apt_complaint "$TMP/sim.err")"
  }
  apt_parse <"$TMP/sim" >"$TMP/all"
  awk '$4 == 0 && $2 != "-" { print $1 }' "$TMP/all" | apt_hidden_security >"$TMP/hidden"
  awk 'FILENAME == ARGV[1] { hidden[$1] = 1; next } { if ($1 in hidden) $4 = 1; print }' "$TMP/hidden" "$TMP/all" >"$TMP/marked"
  [ "$1" = true ] || { cat "$TMP/marked"; return; }
  awk '$4 == 1 { print $1, $2, $3 }' "$TMP/marked" >"$TMP/wanted"
  [ -s "$TMP/wanted" ] || return 0
  # What these need comes along: the set must be complete.
  apt_simulate "$TMP/wanted" >"$TMP/closed" || say_reject "apt cannot install the security updates alone: $(apt_complaint "$TMP/sim.err")"
  awk 'FILENAME == ARGV[1] { security[$1] = $4; next } { print $1, $2, $3, security[$1] + 0 }' "$TMP/marked" "$TMP/closed"
}
# apt_simulate <file of lines> [options]: what apt would really do, `name from to security`.
apt_simulate() {
  lines=$1; shift
  awk '{ print $1 "=" $3 }' "$lines" | xargs -r $APT -s -o Debug::NoLocking=1 --no-remove "$@" install -- >"$TMP/sim" 2>"$TMP/sim.err" || return 1
  apt_parse <"$TMP/sim"
}
# apt_cves <file of lines> <file of ids>: `id name` for each id that a package's new changelog or
# debsecan names. Bounded: 60 packages, 20 s each.
apt_cves() {
  if have debsecan; then
    debsecan --only-fixed --format packages >/dev/null 2>&1 && debsecan --only-fixed 2>/dev/null |
      awk 'FILENAME == ARGV[1] { id[$1]; next } FILENAME == ARGV[2] { pkg[$1]; next } ($1 in id) && ($2 in pkg) { print $1, $2 }' "$2" "$1" -
    return
  fi
  head -n 60 -- "$1" | while read -r name _from to _rest; do
    timeout 20 $APT changelog "$name=$to" 2>/dev/null </dev/null | head -n 400 | grep -F -o -f "$2" | sort -u | sed "s/\$/ $name/"
  done
}
apt_reboot_due() {
  [ -e /run/reboot-required ] || [ -e /var/run/reboot-required ] && return 0
  if have needrestart; then
    case $(needrestart -b -k 2>/dev/null </dev/null | sed -n 's/^NEEDRESTART-KSTA: //p') in 2 | 3) return 0 ;; esac
    return 1
  fi
  running=$(uname -r)
  [ -e "/boot/vmlinuz-$running" ] || return 1
  flavour=${running##*-}
  # dpkg knows how kernel versions sort; the newest of the running flavour should be the one that runs.
  set +f
  for image in /boot/vmlinuz-*-"$flavour"; do
    set -f
    dpkg --compare-versions "${image#/boot/vmlinuz-}" gt "$running" && return 0
  done
  set -f
  return 1
}

# Database in order and not locked? Answers itself when not; sets nothing.
apt_check() {
  if [ -n "$(dpkg --audit 2>/dev/null)" ] || [ -n "$(ls -A /var/lib/dpkg/updates 2>/dev/null)" ]; then
    # While another dpkg is at work both look like damage: ask for the lock first.
    $APT check >"$TMP/check" 2>&1 </dev/null || apt_known_trouble "$TMP/check"
    say_reject "the package database is damaged: run 'dpkg --configure -a' and 'apt-get -f install' on the server, then retry. $(dpkg --audit | head -n 3 | tr '\n' ' ')" "$1"
  fi
  $APT check >"$TMP/check" 2>&1 </dev/null && return 0
  apt_known_trouble "$TMP/check"
  say_reject "apt finds the package database out of order: $(apt_complaint "$TMP/check")" "$1"
}
# apt_room <file of lines>: MiB needed for downloads and for files. (Never --assume-no: apt asks
# nothing when exactly the named packages change, and installs them.)
apt_room() {
  download=$(awk '{ print $1 "=" $3 }' "$1" | xargs -r $APT -y -o Debug::NoLocking=1 --no-remove --print-uris install -- 2>/dev/null |
    awk "/^'/"' { size += $3 } END { print int(size / 1048576) + 1 }')
  dpkg-query -W -f='${Package} ${Installed-Size}\n' >"$TMP/sizes"
  # dpkg unpacks the new files beside the old ones, one package at a time.
  awk '{ print $1 "=" $3 }' "$1" | xargs -r apt-cache show -- 2>/dev/null | awk -v download="$download" '
    FILENAME == ARGV[1] { old[$1] = $2; next }
    /^Package: / { name = $2 } /^Installed-Size: / { grown = $2 - old[name]; if (grown > 0) more += grown; if ($2 > most) most = $2 }
    END { print download, int((more + most) / 1024) + 1 }' "$TMP/sizes" -
}

apt_auto_update() {
  if [ "$(apt-config dump APT::Periodic::Unattended-Upgrade 2>/dev/null | sed -n 's/.*"\(.*\)";/\1/p')" = 1 ] && have unattended-upgrade; then
    echo "unattended-upgrades (APT::Periodic::Unattended-Upgrade is 1)"
  fi
}

# Work on the target, called by the detached worker only.
# apt_options <mode>
apt_options() { [ "$1" = undo ] && echo --allow-downgrades; }
apt_run() {
  mode=$1; lines=$2; shift 2
  export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 APT_LISTCHANGES_FRONTEND=none UCF_FORCE_CONFFOLD=1
  awk '{ print $1 "=" $3 }' "$lines" | xargs -r $APT -y --no-remove $(apt_options "$mode") -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold -o DPkg::Lock::Timeout=300 "$@" install --
}
apt_download() { apt_run "$1" "$2" --download-only; }
apt_install() {
  # Exact versions on the command line would turn dependencies into packages "wanted by hand".
  apt-mark showauto >"$DIR/auto" 2>/dev/null
  apt_run "$1" "$2"; code=$?
  awk 'FILENAME == ARGV[1] { auto[$1] = 1; next } ($1 in auto) || $2 == "-" { print $1 }' "$DIR/auto" "$2" | xargs -r apt-mark auto -- >/dev/null 2>&1
  return $code
}
apt_repair() { DEBIAN_FRONTEND=noninteractive dpkg --force-confdef --force-confold --configure -a; }
# What a failed run means: prints `retry` or `reject` and the reason.
apt_verdict() {
  if grep -q 'Could not get lock\|Unable to acquire\|Unable to lock' -- "$1"; then
    echo "retry the package manager is locked by $(held_by "$(apt_lock_holder "$1")")"
  elif grep -q 'No space left on device\|enough free space' -- "$1"; then echo "reject the disk is full: free some room, then retry. $(apt_complaint "$1")"
  elif grep -q "Version '.*' for '.*' was not found" -- "$1"; then echo "reject a version of the set can no longer be had: scan again. $(apt_complaint "$1")"
  elif grep -q 'post-installation script\|pre-installation script\|returned an error code' -- "$1"; then echo "reject a package's own script failed: look at it, then 'dpkg --configure -a' on the server. $(grep -E '^(dpkg: error| installed | .* subprocess )' -- "$1" | head -n 3 | tr '\n' ' ')$(apt_complaint "$1")"
  elif grep -q 'Failed to fetch\|Temporary failure\|Could not resolve\|Could not connect' -- "$1"; then echo "retry packages cannot be fetched: $(apt_complaint "$1")"
  else echo "reject apt failed: $(apt_complaint "$1")"; fi
}
