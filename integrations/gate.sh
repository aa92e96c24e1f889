#!/usr/bin/env bash
# Audits base and candidate, compares and gates them; ends with the gate's exit code. For CI: every
# setting is a variable of the environment, so that no value is read as shell.
set -euo pipefail

: "${FAIRAUDIT_BASE:?name the base model}"
: "${FAIRAUDIT_CANDIDATE:?name the candidate}"
: "${FAIRAUDIT_POLICY:?name the policy file}"
output=${FAIRAUDIT_OUTPUT:-compared}

options=()
[[ -n ${FAIRAUDIT_CONFIG:-} ]] && options+=(--config "$FAIRAUDIT_CONFIG")
allow=()
[[ ${FAIRAUDIT_ALLOW_INCONCLUSIVE:-false} == true ]] && allow+=(--allow-inconclusive)

audits=$(mktemp -d)
trap 'rm -rf "$audits"' EXIT
fairaudit audit "$FAIRAUDIT_BASE" "${options[@]}" --label base --output "$audits/base"
fairaudit audit "$FAIRAUDIT_CANDIDATE" "${options[@]}" --label candidate --output "$audits/candidate"
fairaudit compare "$audits/base" "$audits/candidate" --output "$output" --overwrite

code=0
fairaudit gate "$output" --policy "$FAIRAUDIT_POLICY" --junit "$output/junit.xml" "${allow[@]}" || code=$?
if [[ -n ${GITHUB_OUTPUT:-} && -f $output/gate.json ]]; then
  decision=$(sed -n 's/^  "decision": "\([A-Z_]*\)",*$/\1/p' "$output/gate.json")
  echo "decision=$decision" >> "$GITHUB_OUTPUT"
fi
exit "$code"
