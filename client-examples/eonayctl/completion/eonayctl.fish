# SPDX-License-Identifier: Apache-2.0
# fish completion for eonayctl(1). Certificates, tokens and consents are asked from the running service, and only when a
# word needs them; without a service nothing is offered.

set -g __eonayctl_verbs agent audit certs code consents doctor erase export import pin renew sign status tokens verify

# The verb that stands on the command line so far; status 1 when there is none.
function __eonayctl_find_verb
    for word in (commandline -opc)[2..-1]
        if contains -- $word $__eonayctl_verbs
            echo $word
            return 0
        end
    end
    return 1
end

function __eonayctl_no_verb
    not __eonayctl_find_verb >/dev/null
end

function __eonayctl_verb
    set -l verb (__eonayctl_find_verb); and test $verb = $argv[1]
end

# pin, before its own word
function __eonayctl_pin_word
    __eonayctl_verb pin; and not string match -qr '^(change|unblock)$' -- (commandline -opc)
end

# The values of a key in the JSON that a verb prints.
function __eonayctl_values
    eonayctl --json --timeout=2 --no-ask-password $argv[1] 2>/dev/null | string replace -rf '^ *"'$argv[2]'": "([^"]*)".*' '$1'
end

complete -c eonayctl -f
complete -c eonayctl -s h -l help -d 'Show the verbs, or the options of a verb'
complete -c eonayctl -s j -l json -d 'Print JSON for programs'
complete -c eonayctl -l bus -x -d 'Use the bus at this D-Bus address'
complete -c eonayctl -l timeout -x -d 'Wait so long for an answer'
complete -c eonayctl -l no-ask-password -d 'Never ask for a PIN'
complete -c eonayctl -l version -d 'Show the version'

complete -c eonayctl -n __eonayctl_no_verb -a agent -d 'Confirm texts and give PINs for the programs of this session'
complete -c eonayctl -n __eonayctl_no_verb -a audit -d 'Verify the chain behind the records, print its head, list its entries'
complete -c eonayctl -n __eonayctl_no_verb -a certs -d 'List certificates and whether they can be used'
complete -c eonayctl -n __eonayctl_no_verb -a code -d 'Get a verification code and see its remaining time'
complete -c eonayctl -n __eonayctl_no_verb -a consents -d 'List your consents and what became of them'
complete -c eonayctl -n __eonayctl_no_verb -a doctor -d 'Find out what is wrong, and what to type against it'
complete -c eonayctl -n __eonayctl_no_verb -a erase -d 'Erase a record for good'
complete -c eonayctl -n __eonayctl_no_verb -a export -d 'Write everything that is kept of a consent to a file'
complete -c eonayctl -n __eonayctl_no_verb -a import -d 'Take exported evidence (.asice) into your records'
complete -c eonayctl -n __eonayctl_no_verb -a pin -d 'Change the PIN of a token, or unlock it with its PUK'
complete -c eonayctl -n __eonayctl_no_verb -a renew -d 'Add an archive time stamp before the newest one ends'
complete -c eonayctl -n __eonayctl_no_verb -a sign -d 'Read, confirm and sign the consent of a verification code'
complete -c eonayctl -n __eonayctl_no_verb -a status -d 'Show the service, its authorities, and what is wrong'
complete -c eonayctl -n __eonayctl_no_verb -a tokens -d 'List card readers and tokens and the state of their PIN'
complete -c eonayctl -n __eonayctl_no_verb -a verify -d 'Verify a signature'

complete -c eonayctl -n '__eonayctl_verb agent' -l accept -d 'Confirm every text without asking'
complete -c eonayctl -n '__eonayctl_verb agent' -l pin-file -rF -d 'Take the PIN from this file'
complete -c eonayctl -n '__eonayctl_verb agent' -l allow-final-try -d 'Give the PIN even for the last try'
complete -c eonayctl -n '__eonayctl_verb agent' -l background -d 'Leave the terminal once registered'
complete -c eonayctl -n '__eonayctl_verb agent' -l ready-fd -x -d 'Write a line here once registered'

complete -c eonayctl -n '__eonayctl_verb audit' -a 'verify head list'
complete -c eonayctl -n '__eonayctl_verb audit' -s a -l all -d 'Not only the 50 newest'
complete -c eonayctl -n '__eonayctl_verb audit' -l all-users -d 'Of everybody'
complete -c eonayctl -n '__eonayctl_verb audit' -l head -x -d 'What was noted earlier'

complete -c eonayctl -n '__eonayctl_verb certs' -s a -l all -d 'Also those that cannot be used'
complete -c eonayctl -n '__eonayctl_verb certs' -l token -x -a '(__eonayctl_values tokens Path)' -d 'Only those of this token'

complete -c eonayctl -n '__eonayctl_verb code' -s b -l backend -x -d 'Ask this authority'
complete -c eonayctl -n '__eonayctl_verb code' -l purpose -x -d 'What the consent is for'
complete -c eonayctl -n '__eonayctl_verb code' -l language -x -a 'tr en' -d 'Language of the texts'
complete -c eonayctl -n '__eonayctl_verb code' -l subject-file -rF -d 'Bind the code to the identity number in this file'
complete -c eonayctl -n '__eonayctl_verb code' -l supersede-file -rF -d 'End the code in this file'
complete -c eonayctl -n '__eonayctl_verb code' -l no-wait -d 'Do not count down'

complete -c eonayctl -n '__eonayctl_verb consents' -s a -l all -d 'Not only the 20 newest'
complete -c eonayctl -n '__eonayctl_verb consents' -l uid -x -d 'Those of another user'

complete -c eonayctl -n '__eonayctl_verb erase' -l all-users -d 'The record of anybody'
complete -c eonayctl -n '__eonayctl_verb erase' -s y -l yes -d 'Do not ask'
complete -c eonayctl -n '__eonayctl_verb erase' -a '(__eonayctl_values consents ConsentId)'

complete -c eonayctl -n '__eonayctl_verb export' -s o -l output -rF -d 'Write the evidence here'
complete -c eonayctl -n '__eonayctl_verb export' -a '(__eonayctl_values consents ConsentId)'

complete -c eonayctl -n '__eonayctl_verb import' -F

complete -c eonayctl -n __eonayctl_pin_word -a 'change unblock'
complete -c eonayctl -n '__eonayctl_verb pin; and not __eonayctl_pin_word' -a '(__eonayctl_values tokens Label)'
complete -c eonayctl -n '__eonayctl_verb pin' -l pin-file -rF -d 'Take the present PIN, or the PUK, from this file'
complete -c eonayctl -n '__eonayctl_verb pin' -l new-pin-file -rF -d 'Take the new PIN from this file'

complete -c eonayctl -n '__eonayctl_verb sign' -s c -l certificate -x -a '(__eonayctl_values certs Fingerprint)' -d 'Sign with this certificate'
complete -c eonayctl -n '__eonayctl_verb sign' -s f -l file -rF -d 'Sign with the key in this PKCS#12 file'
complete -c eonayctl -n '__eonayctl_verb sign' -s o -l output -rF -d 'Write the signature here'
complete -c eonayctl -n '__eonayctl_verb sign' -s r -l receipt -rF -d 'Write the receipt here'
complete -c eonayctl -n '__eonayctl_verb sign' -s b -l backend -x -d 'The authority that gave the code'
complete -c eonayctl -n '__eonayctl_verb sign' -s y -l yes -d 'Do not ask whether to sign'
complete -c eonayctl -n '__eonayctl_verb sign' -l pin-file -rF -d 'Take the PIN from this file'
complete -c eonayctl -n '__eonayctl_verb sign' -l pin-fd -x -d 'Take the PIN from this open descriptor'
complete -c eonayctl -n '__eonayctl_verb sign' -l allow-final-try -d 'Use the last try before the token locks itself'
complete -c eonayctl -n '__eonayctl_verb sign' -l agent -d 'Let the agent of the session ask'

complete -c eonayctl -n '__eonayctl_verb status' -l subject-file -rF -d 'Tell whether this person has approved already'
complete -c eonayctl -n '__eonayctl_verb status' -s b -l backend -x -d 'Ask this authority for the approval'

complete -c eonayctl -n '__eonayctl_verb tokens' -l refresh -d 'Look at all readers and tokens again first'

complete -c eonayctl -n '__eonayctl_verb renew' -s q -l request -rF -d 'Write the time-stamp request here'
complete -c eonayctl -n '__eonayctl_verb renew' -s r -l response -rF -d 'The time-stamp authority\'s answer'
complete -c eonayctl -n '__eonayctl_verb renew' -s A -l anchors -rF -d 'The certificates to trust, PEM'
complete -c eonayctl -n '__eonayctl_verb renew' -l crls -rF -d 'Revocation lists to put in before, PEM'
complete -c eonayctl -n '__eonayctl_verb renew' -s o -l output -rF -d 'Write the renewed signature here'
complete -c eonayctl -n '__eonayctl_verb renew' -s w -l within -x -d 'Let the service renew it when it ends within so many days'
complete -c eonayctl -n '__eonayctl_verb renew' -F
complete -c eonayctl -n '__eonayctl_verb verify' -s c -l content -rF -d 'The bytes that must have been signed'
complete -c eonayctl -n '__eonayctl_verb verify' -s A -l anchors -rF -d 'The certificates to trust, PEM'
complete -c eonayctl -n '__eonayctl_verb verify' -l crls -rF -d 'Further revocation lists, PEM'
complete -c eonayctl -n '__eonayctl_verb verify' -s l -l level -x -a 'B-B B-T B-LT B-LTA P1 P2 P3 P4' -d 'The level that must be reached'
complete -c eonayctl -n '__eonayctl_verb verify' -l at -x -d 'The moment of verification'
complete -c eonayctl -n '__eonayctl_verb verify' -l qualified -d 'The certificate must be a qualified one'
complete -c eonayctl -n '__eonayctl_verb verify' -F
