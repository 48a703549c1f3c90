# Puts what both this script and the detached worker need into a file, once. The text up to the next
# marker is the prelude, the package managers and the job.
TOOLS=$(mktemp /tmp/hostler.XXXXXX) || { printf '{"say":"reject","reason":"no scratch file can be made in /tmp: free some room there","output":null}\n'; exit 0; }
cat >"$TOOLS" <<'HOSTLER_TOOLS'
