# Runs the stop or start hook that the owner of the service has put on the server.
# in: hook, path (the estate's, below /etc/hostler/)
HOOK_S=570  # below the action's timeout of 10 minutes
read_args
hook=$(arg hook)
one_of "$hook" stop start || say_reject "hook is stop or start"
scratch
file=$(arg path)
# The estate may name a file there, nothing else: a name must not turn any program into a hook.
printf '%s\n' "$file" | grep -Eqx '/etc/hostler(/[A-Za-z0-9][A-Za-z0-9_.-]*)+' || say_reject "the hook must lie below /etc/hostler/, not at '$file'"
[ -e "$file" ] || say_reject "$file is not there: put an executable there that ends with 0 when it is done"
[ -f "$file" ] && [ -x "$file" ] && [ "$(stat -Lc %u "$file")" = 0 ] && [ -z "$(find -L "$file" -maxdepth 0 -perm /022)" ] ||
  say_reject "$file must be a file of root's, executable, and nobody else's to write: chown root and chmod 0755 it"
timeout -k 10 $HOOK_S "$file" >"$TMP/out" 2>&1 </dev/null; code=$?
[ $code = 0 ] && say_done '{}' "[$(quoted "$file ended with 0. $(tail -n 3 "$TMP/out")")]"
[ $code = 124 ] && say_reject "$file did not end within $HOOK_S s and was stopped"
say_reject "$file ended with $code: $(tail -n 3 "$TMP/out")"
