#!/bin/sh
# Runs pycallblock 1.1.0, unchanged, against the emulated modem: every one of its modes, each on a
# modem of its own. It shows that the emulated modem is a modem to programs that know nothing of it.
#
# Usage: tests/peers/pycallblock.sh [PATH OF callblock]
#
# Takes a minute. Needs Python 3.13 and the package index; without them it says so and exits 0.
# Installs into a temporary folder only. Set PYTHON to choose an interpreter.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
children=
finish() {
    for child in $children; do kill "$child" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

skip() {
    echo "pycallblock: skipped: $1"
    exit 0
}

fits() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 13))' 2>/dev/null
}

python=
for candidate in "${PYTHON:-}" python3.13 python3.14 python3.15 python3 \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[3-9]*/bin/python3; do
    if [ -n "$candidate" ] && fits "$candidate"; then
        python=$candidate
        break
    fi
done
[ -n "$python" ] || skip "no Python 3.13 or later"

"$python" -m venv "$work/venv" >/dev/null 2>&1 || skip "$python cannot make virtual environments"
# audioop left the standard library with Python 3.13.
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
    pycallblock==1.1.0 audioop-lts >"$work/pip.log" 2>&1 ||
    skip "pip cannot install pycallblock 1.1.0 ($(tail -n 1 "$work/pip.log"))"

callblock=${1:-}
if [ -z "$callblock" ]; then
    (cd "$root" && cargo build --quiet)
    callblock=$root/target/debug/callblock
fi

printf '2125550147,robocall\n' >"$work/block.csv"
"$work/venv/bin/python" "$here/pycallblock_results.py" tone "$work/tone.wav"

# run NAME CHIP ARGUMENTS...
run() {
    name=$1
    chip=$2
    shift 2
    home=$work/$name
    mkdir "$home"
    "$callblock" emulate --journal --chip "$chip" --link "$home/modem" "$here/robocall.toml" \
        >"$home/journal" &
    modem=$!
    while [ ! -s "$home/journal" ]; do sleep 0.1; done
    status=0
    HOME=$home timeout --preserve-status -s INT 48 "$work/venv/bin/pycallblock" \
        --device "$home/modem" -l -v -v -b "$work/block.csv" "$@" >"$home/log" 2>&1 || status=$?
    kill "$modem"
    wait "$modem" || true
    echo "$status" >"$home/status"
}

for chip in cx93001-2002 cx93001-2013; do
    run "hangup-$chip" "$chip" & children="$children $!"
    run "fax-$chip" "$chip" -f & children="$children $!"
done
run message cx93001-2002 -m -a "$work/tone.wav" & children="$children $!"
run record cx93001-2002 -r 20 & children="$children $!"
run transmit cx93001-2013 -t 20 -a "$work/tone.wav" & children="$children $!"
run duplex cx93001-2013 -d 20 -a "$work/tone.wav" & children="$children $!"
for child in $children; do wait "$child"; done
children=

"$work/venv/bin/python" "$here/pycallblock_results.py" check "$work"
