worker_text() { cat -- "$TOOLS" && cat <<'HOSTLER_WORKER'
