#!/bin/sh
# Makes the Python environment of the mail server. The version is pinned: the tests read its answers.
# usage: venv.sh OUT
set -eu
python3 -m venv "$1" >&2
"$1/bin/python" -m pip install --quiet --disable-pip-version-check aiosmtpd==1.4.6 >&2
