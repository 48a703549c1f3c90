# Does the server change its packages by itself? Changes nothing.
read_args
scratch; find_backend
${BACKEND}_auto_update >"$TMP/on"
[ -s "$TMP/on" ] && off=false || off=true
say_done "{\"off\":$off,\"what\":$(quoted_list 2000 <"$TMP/on")}"
