# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by demo, check and .ci/run. Configures and builds a tree below build/, and stays silent unless that fails; runs its
# tests and counts them.
# Plugins writable by others are refused, so the tree is made with a tight umask.
umask 022

# Runs a command with its output in a log file; shows the log's end when it fails.
quietly() {
    local log=$1
    shift
    "$@" </dev/null >>"$log" 2>&1 && return 0
    tail -n 60 "$log" >&2
    echo "Failed: $* (all of it: $log)" >&2
    return 1
}

# build_tree FOLDER MESON-OPTIONS...: the tree in FOLDER is configured, if it is not yet, and built. A tree that was
# configured for another place or with other options is made anew.
build_tree() {
    local folder=$1 wanted log
    shift
    wanted="$PWD $*"
    log=$folder.log
    mkdir -p "$folder"
    : >"$log"
    if [ ! -e "$folder/build.ninja" ] || [ "$(cat "$folder/.configured-as" 2>/dev/null)" != "$wanted" ]; then
        rm -rf "$folder"
        quietly "$log" meson setup "$folder" "$@" || return 1
        printf '%s\n' "$wanted" >"$folder/.configured-as"
    fi
    quietly "$log" ninja -C "$folder"
}

passed=0 failed=0

# run_suites TREE SETUP... [MESON-TEST-OPTION...]: runs the tests under each setup and adds to $passed and $failed.
# Whatever did not pass has failed, a skipped test too.
run_suites() {
    local tree=$1 setup log good all status processes setups=()
    processes=$(($(nproc) + 1)) # most of them wait most of the time
    shift
    while [ $# -gt 0 ] && [ "${1#--}" = "$1" ]; do
        setups+=("$1")
        shift
    done
    for setup in "${setups[@]}"; do
        log=$tree/meson-logs/testlog-$setup.json
        rm -f "$log"
        echo "== Tests of $tree, setup $setup"
        if meson test -C "$tree" --no-rebuild --print-errorlogs --num-processes "$processes" --setup "$setup" "$@" </dev/null; then
            status=0
        else
            status=$?
        fi
        good=$(grep -c '"result": "OK"' "$log" 2>/dev/null)
        all=$(grep -c '"result": "' "$log" 2>/dev/null)
        passed=$((passed + ${good:-0}))
        failed=$((failed + ${all:-0} - ${good:-0}))
        # meson itself failed, or there was nothing to run
        if [ "$status" -ne 0 ] && [ "${good:-0}" = "${all:-0}" ] || [ "${all:-0}" = 0 ]; then
            failed=$((failed + 1))
        fi
    done
}

# The last line of a run, and its exit status.
closing_line() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
