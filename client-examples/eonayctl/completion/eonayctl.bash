# SPDX-License-Identifier: Apache-2.0
# bash completion for eonayctl(1). Certificates and consents are asked from the running service, and only when a word
# needs them; without a service nothing is offered.

_eonayctl_verbs='agent audit certs code consents doctor erase export import pin renew sign status tokens verify'
_eonayctl_common='--bus --help --json --no-ask-password --timeout --version'

_eonayctl_options() {
    case $1 in
    agent) echo '--accept --allow-final-try --background --pin-file --ready-fd' ;;
    audit) echo '--all --all-users --head' ;;
    certs) echo '--all --token' ;;
    code) echo '--backend --language --no-wait --purpose --subject-file --supersede-file' ;;
    consents) echo '--all --uid' ;;
    erase) echo '--all-users --yes' ;;
    export) echo '--output' ;;
    pin) echo '--new-pin-file --pin-file' ;;
    sign) echo '--agent --allow-final-try --backend --certificate --file --output --pin-fd --pin-file --receipt --yes' ;;
    status) echo '--backend --subject-file' ;;
    tokens) echo '--refresh' ;;
    renew) echo '--anchors --crls --output --request --response --within' ;;
    verify) echo '--anchors --at --content --crls --level --qualified' ;;
    esac
}

# The values of a key in the JSON that a verb prints.
_eonayctl_values() {
    eonayctl --json --timeout=2 --no-ask-password "$1" 2>/dev/null | sed -n "s/^ *\"$2\": \"\\([^\"]*\\)\".*/\\1/p"
}

_eonayctl_verb() {
    local word
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        [[ " $_eonayctl_verbs " == *" $word "* ]] && echo "$word" && return
    done
}

_eonayctl() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} verb
    verb=$(_eonayctl_verb)
    # --option=value comes as three words
    if [[ $current == '=' ]]; then
        current=
    elif [[ $previous == '=' ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    case $previous in
    --pin-file | --new-pin-file | --subject-file | --supersede-file | --content | --anchors | --crls | --request | --response | -A | -q | --file | --output | --receipt | -c | -f | -o | -r)
        if [[ $previous != -c || $verb == verify ]]; then
            compopt -o filenames
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
        fi
        ;;&
    --certificate | -c)
        mapfile -t COMPREPLY < <(compgen -W "$(_eonayctl_values certs Fingerprint)" -- "$current")
        return
        ;;
    --token)
        mapfile -t COMPREPLY < <(compgen -W "$(_eonayctl_values tokens Path)" -- "$current")
        return
        ;;
    --language)
        mapfile -t COMPREPLY < <(compgen -W 'tr en' -- "$current")
        return
        ;;
    --bus | --timeout | --backend | -b | --purpose | --uid | --pin-fd | --ready-fd | --head)
        return
        ;;
    esac
    if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$_eonayctl_common $(_eonayctl_options "$verb")" -- "$current")
    elif [[ -z $verb ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$_eonayctl_verbs" -- "$current")
    elif [[ $verb == pin && $previous == pin ]]; then
        mapfile -t COMPREPLY < <(compgen -W 'change unblock' -- "$current")
    elif [[ $verb == pin ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_eonayctl_values tokens Label)" -- "$current")
    elif [[ $verb == audit ]]; then
        mapfile -t COMPREPLY < <(compgen -W 'verify head list' -- "$current")
    elif [[ $verb == export || $verb == erase ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$(_eonayctl_values consents ConsentId)" -- "$current")
    elif [[ $verb == verify || $verb == renew || $verb == import ]]; then
        compopt -o filenames
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}

complete -F _eonayctl eonayctl
