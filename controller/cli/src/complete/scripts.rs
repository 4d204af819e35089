//! The scripts that `completion` prints: each asks `kubectl-launchway __complete` for the words. Nothing is decided in them.

pub const BASH: &str = r#"# bash completion for kubectl-launchway
_kubectl_launchway() {
  local IFS=$'\n'
  COMPREPLY=($(kubectl-launchway __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | grep -v '^:' | cut -f1))
}
complete -F _kubectl_launchway kubectl-launchway"#;

pub const ZSH: &str = r#"#compdef kubectl-launchway
_kubectl_launchway() {
  local -a offers
  offers=("${(@f)$(kubectl-launchway __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  offers=("${(@)offers:#:*}")
  offers=("${(@)offers//$'\t'/:}")
  _describe 'launchway' offers
}
compdef _kubectl_launchway kubectl-launchway"#;

pub const FISH: &str = r"# fish completion for kubectl-launchway
function __kubectl_launchway
    set -l words (commandline -opc) (commandline -ct)
    kubectl-launchway __complete -- $words[2..-1] 2>/dev/null | string match -rv '^:'
end
complete -c kubectl-launchway -f -a '(__kubectl_launchway)'";

pub const KUBECTL: &str = r#"#!/bin/sh
# Save it as kubectl_complete-launchway in a folder of PATH and make it executable: kubectl asks it for `kubectl launchway`.
exec kubectl-launchway __complete -- "$@""#;
