# What has become of the work of a key? Changes nothing.
# in: key
read_args
scratch; find_backend; job_dir "$(arg key)"
[ -e "$DIR/set" ] || say_absent "nothing was started under this key"
job_runs && say_pending "$(job_phase)"
[ -s "$DIR/result" ] && job_answer
[ "$(cat "$DIR/tries")" = 0 ] && say_absent "it was prepared and never began"
say_dead "the worker is gone without a result (was the server switched off?)"
