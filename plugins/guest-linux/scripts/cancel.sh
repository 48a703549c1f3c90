# Asks the work of a key to stop. Before the first package is unpacked it does; from then on it is left
# to finish, because a package manager that is killed leaves a server that nobody can patch.
# in: key
read_args
scratch; find_backend; job_dir "$(arg key)"
[ -e "$DIR/set" ] || say_absent "nothing was started under this key"
: >"$DIR/cancel"
job_runs && say_pending "$(job_phase)"
[ -s "$DIR/result" ] && job_answer
# Nobody is at work: whoever starts it later finds the wish.
[ -s "$DIR/before" ] || { echo cancelled >"$DIR/result"; job_answer; }
say_dead "the worker is gone without a result"
