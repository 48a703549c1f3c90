HOSTLER_TOOLS
. "$TOOLS"
trap 'rm -f -- "$TOOLS"' EXIT
