# Asks the work of a key to stop. Before the first package is unpacked it does; from then on it is left
# to finish, because a package manager that is killed leaves a server that nobody can patch.
# in: key
read_args
scratch; find_backend; job_dir "$(arg key)"
[ -e "$DIR/set" ] || say_absent "nothing was started under this key"
: >"$DIR/cancel"
job_runs && say_pending "$(job_phase)"
if [ -s "$DIR/result" ]; then
  # Waiting for another try is over, too.
  grep -q '^retry' -- "$DIR/result" && [ "$(cat "$DIR/tries")" = 1 ] && echo cancelled >"$DIR/result"
  job_answer
fi
# Nobody is at work: whoever starts it later finds the wish.
[ -s "$DIR/before" ] || { echo cancelled >"$DIR/result"; job_answer; }
say_dead "the worker is gone without a result"
