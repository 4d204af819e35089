//! Ready-made buildspecs, for checks that need nothing in the repository. A Release's plan holds the whole text, so that everybody
//! can read what runs.

use launchway_crds::pipeline::{BuildspecSource, Scan, SecretScan, TemplateScan};

/// What the scan for secrets runs in the root of the commit's files. It shows where something is, and never what it is. A `grep` that
/// could not find anything here must not pass, so it has to find something first. Words with EXAMPLE in them are those of documents.
const SECRETS: &str = r#"set -eu
export LC_ALL=C
lines=$(mktemp) proof=$(mktemp -d) found=0 separator=$(printf '\001')
look() {
  grep -rnaEHZ --exclude-dir=.git -e "$3" "$1" >"$lines" || [ $? -eq 1 ] || return 2
  tr '\000' '\001' <"$lines" >"$lines.1"
  while IFS= read -r line; do
    file=${line%%"$separator"*} text=${line#*"$separator"}
    number=${text%%:*} text=${text#*:}
    case "$file" in @EXCLUDED@) continue ;; esac
    for allowed in '' @ALLOWED@; do
      while [ -n "$allowed" ]; do case "$text" in *"$allowed"*) text="${text%%"$allowed"*} ${text#*"$allowed"}" ;; *) break ;; esac; done
    done
    printf '%s\n' "$text" | sed -E -e 's_[A-Za-z0-9]*(EXAMPLE|XXXX)[A-Za-z0-9]*_ _g' -e 's_([^A-Za-z0-9/+])[0-9a-f]{40}([^A-Za-z0-9/+=]|$)_\1 \2_g' |
      grep -aqE -e "$3" || continue
    printf '%s:%s: %s\n' "$file" "$number" "$2"
    found=$((found + 1))
  done <"$lines.1"
}
key='(^|[^A-Z0-9])(AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}([^A-Z0-9]|$)'
printf 'AKIA%s\n' 2345672345672345 >"$proof/key"
look "$proof" proof "$key" >/dev/null 2>&1 || found=0
if [ "$found" -ne 1 ]; then echo 'The build image has no GNU grep, which is needed: take another image.'; exit 2; fi
found=0
if [ -z "$(ls -A | grep -vx .git)" ]; then echo 'There are no files: look at the source of the build.'; exit 2; fi
look . 'an AWS access key ID' "$key"
look . 'an AWS secret access key' '[Ss][Ee][Cc][Rr][Ee][Tt][_-]?([Aa][Cc][Cc][Ee][Ss][Ss])?[_-]?[Kk][Ee][Yy][^A-Za-z0-9/+]{1,20}([Vv]alue[^A-Za-z0-9/+]{1,20})?[A-Za-z0-9/+]{40}([^A-Za-z0-9/+=]|$)'
look . 'a private key' '-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY( BLOCK)?-----([[:space:]]*$|\\+[nr])'
look . 'a token of GitHub' '(^|[^A-Za-z0-9_])(gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60})'
look . 'a token of GitLab' '(^|[^A-Za-z0-9_])glpat-[A-Za-z0-9_-]{20}'
look . 'a token of Slack' '(^|[^A-Za-z0-9_])xox[abprs]-([0-9]-)?[0-9]{8}'
if [ "$found" -gt 0 ]; then
  echo "$found found. Take each out, and make it worthless where it is used: it stays in the history of git."
  exit 1
fi
echo 'No secret was found.'
"#;

/// What the scan of CloudFormation templates runs. Warnings are shown, and do not fail it.
const TEMPLATES: &str = r#"set -eu
lint=cfn-lint
if ! command -v cfn-lint >/dev/null; then
  if ! { python3 -m venv /tmp/cfn-lint && /tmp/cfn-lint/bin/pip install --quiet --disable-pip-version-check cfn-lint==1.58.0; }; then
    echo 'cfn-lint is not in the build image, and pip could not install it: take an image with Python 3.10, or one that has it.'
    exit 2
  fi
  lint=/tmp/cfn-lint/bin/cfn-lint
fi
all=$(mktemp) some=$(mktemp) found=0 failed=0
find . -type f ! -path './.git/*' ! -path '*/node_modules/*' >"$all"
check() {
  found=$((found + 1))
  "$lint" --non-zero-exit-code error -- "$1" </dev/null || { failed=$((failed + 1)); echo "$1 has errors."; }
}
named() {
  before=$found
  while IFS= read -r file; do case "$file" in $1) check "$file" ;; esac; done <"$all"
  if [ "$found" -eq "$before" ]; then echo "There is no template $1."; exit 2; fi
}
@FILES@
if [ "$found" -eq 0 ]; then echo 'No file has AWSTemplateFormatVersion: name the templates in files.'; exit 2; fi
echo "$failed of $found templates have errors."
[ "$failed" -eq 0 ]
"#;

/// Where no files are named, those that say that they are templates.
const ALL: &str = r#"grep -E '[.](ya?ml|json|template)$' "$all" >"$some" || [ $? -eq 1 ] || exit 2
while IFS= read -r file; do
  if grep -q "^[^#]*AWSTemplateFormatVersion[\"']\{0,1\} *:" "$file"; then check "$file"; fi
done <"$some""#;

/// The ready-made buildspec of a check as CodeBuild is given it.
pub fn spelled_out(scan: &Scan) -> Option<BuildspecSource> {
    let script = scan.secrets.as_ref().map(secrets).or_else(|| scan.templates.as_ref().map(templates))?;
    Some(BuildspecSource { path: None, inline: Some(buildspec(&script).as_str().into()) })
}

/// The script goes into a file first: CodeBuild prints a command that fails once more after what it said, and of the log the last lines
/// are what people see.
fn buildspec(script: &str) -> String {
    let lines: String = script.lines().map(|line| format!("      {line}\n")).collect();
    let file = "${TMPDIR:-/tmp}/launchway-scan.sh";
    format!(
        "version: 0.2\nphases:\n  build:\n    commands:\n    - |\n      cat >\"{file}\" <<'LAUNCHWAY'\n{lines}      LAUNCHWAY\n    - sh \"{file}\"\n"
    )
}

fn secrets(scan: &SecretScan) -> String {
    let allowed: Vec<String> = scan.allow.iter().map(|text| format!("'{text}'")).collect();
    let excluded: Vec<String> = scan.exclude.iter().map(|path| format!("./{path} | ./{path}/*")).collect();
    let excluded = if excluded.is_empty() { "''".to_owned() } else { excluded.join(" | ") };
    let script = SECRETS.replace("@EXCLUDED@", &excluded);
    script.replace("@ALLOWED@", &allowed.join(" "))
}

fn templates(scan: &TemplateScan) -> String {
    let named: String = scan.files.iter().map(|path| format!("named './{path}'\n")).collect();
    TEMPLATES.replace("@FILES@", if named.is_empty() { ALL } else { named.trim_end() })
}
