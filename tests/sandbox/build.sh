# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by demo, check and .ci/run: configures and builds a tree below build/, and stays silent unless that fails.
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
