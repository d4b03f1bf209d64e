#!/usr/bin/env bash
# Checks both ways in which people get Prosopon:
#   a clone:    git clone, npm ci, npx prosopon
#   a package:  npm install prosopon-X.tgz in an empty folder, npx prosopon; then prosopon-ruler-X.tgz beside it,
#               in another folder from which the program is called, and both --global
# In both no install script of any package may run (ONNX Runtime's fetches CUDA libraries and fails the whole
# install where it cannot), so the shell that npm would run scripts with is replaced by one that fails. Both
# are then done again with --offline from the cache that the first round filled.
#
# Usage: bash scripts/test-install.sh     (needs a package registry; commits are tested, not the working tree)
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0

pass() { passed=$((passed + 1)); printf 'ok: %s\n' "$1"; }
fail() { printf 'FAILED: %s\n' "$1" >&2; printf '%d passed, 1 failed\n' "$passed"; exit 1; }

cat >"$work/no-scripts" <<'TRIP'
#!/bin/sh
echo "an install script was run: $*" >>"$TRIPPED"
exit 97
TRIP
chmod +x "$work/no-scripts"
export TRIPPED="$work/tripped"

# npm with an empty cache of its own and a shell that refuses; settings of the caller that would hide a script
# from us are taken away.
install() {
  env -u npm_config_ignore_scripts -u NPM_CONFIG_IGNORE_SCRIPTS -u ONNXRUNTIME_NODE_INSTALL \
    npm_config_cache="$work/cache" npm_config_script_shell="$work/no-scripts" \
    npm "$@" --no-audit --no-fund --loglevel=error
}
untripped() { if [ -e "$TRIPPED" ]; then cat "$TRIPPED" >&2; fail "$1: an install script ran"; fi; }

# The tripwire must trip, or it proves nothing.
mkdir -p "$work/trap/dep" && cd "$work/trap"
echo '{"name":"dep","version":"1.0.0","scripts":{"postinstall":"true"}}' >dep/package.json
echo '{"name":"trap","version":"1.0.0","scripts":{"postinstall":"true"}}' >package.json
if install install ./dep --foreground-scripts >/dev/null 2>&1 || [ ! -e "$TRIPPED" ]; then fail 'the tripwire does not work'; fi
rm "$TRIPPED"
pass 'the tripwire trips on an install script'

git clone --quiet "$root" "$work/clone"
for round in online --offline; do
  flags=(); [ "$round" = online ] || flags=("$round")
  cd "$work/clone"
  rm -rf node_modules dist
  install ci "${flags[@]}" >/dev/null || fail "clone, $round: npm ci"
  untripped "clone, $round"
  pass "clone, $round: npm ci ran no install script"
done
version=$(npx --no-install prosopon --version 2>/dev/null) || fail 'clone: npx prosopon --version'
[ "$version" = "$(node -p 'require("./package.json").version')" ] || fail "clone: prosopon --version says $version"
pass "clone: npx prosopon --version says $version"

npm run --silent package >/dev/null 2>"$work/log" || { cat "$work/log" >&2; fail 'npm run package'; }
tarball=$(ls "$work"/clone/prosopon-[0-9]*.tgz)
ruler=$(ls "$work"/clone/prosopon-ruler-[0-9]*.tgz)
megabytes() { echo "$(($(wc -c <"$1") / 1000000)) MB"; }
pass "packed: $(megabytes "$tarball"), the ruler $(megabytes "$ruler")"
# The command needs no ruler, and the package has nothing of it.
for name in sqn segmentation brain-age; do
  if tar -tzf "$tarball" | grep -q "package/models/$name/"; then fail "package: it has the ruler's network $name"; fi
done

for round in online --offline; do
  flags=(); [ "$round" = online ] || flags=("$round")
  consumer="$work/consumer$round"
  mkdir "$consumer" && cd "$consumer"
  install install "$tarball" "${flags[@]}" >/dev/null || fail "package, $round: npm install"
  untripped "package, $round"
  [ ! -e node_modules/onnxruntime-node ] || fail 'package: onnxruntime-node became a dependency'
  pass "package, $round: npm install ran no install script"
done
found=$(npx --no-install prosopon --version 2>/dev/null) || fail 'package: npx prosopon --version'
[ "$found" = "$version" ] || fail "package: prosopon --version says $found"
pass "package: npx prosopon --version says $found"
# From an empty folder to a data set of results, with what README says and nothing else.
mkdir -p "$work/dataset/ds/sub-01/anat" "$work/dataset/ds/sub-02/anat"
echo '{"Name":"x","BIDSVersion":"1.10.0"}' >"$work/dataset/ds/dataset_description.json"
cp node_modules/prosopon/demo/head.nii.gz "$work/dataset/ds/sub-01/anat/sub-01_T1w.nii.gz"
echo junk >"$work/dataset/ds/sub-02/anat/sub-02_T1w.nii.gz"
npx --no-install prosopon bids "$work/dataset/ds" "$work/dataset/released" --resolution 128 >"$work/said" 2>&1 && fail 'package: bids did not say that a scan was refused'
for file in released/sub-01/anat/sub-01_T1w.nii.gz released/sub-01/anat/sub-01_T1w.json released/participants.tsv released-report/index.html; do
  [ -s "$work/dataset/$file" ] || { cat "$work/said" >&2; fail "package: bids wrote no $file"; }
done
[ ! -e "$work/dataset/released/sub-02" ] || fail 'package: bids left something of a scan that was refused'
grep -q '1 done, 1 refused, 0 failed' "$work/said" || { cat "$work/said" >&2; fail 'package: what bids said'; }
pass 'package: prosopon bids makes a data set of results, and says what it refused'

# Without npx, which may have warnings of its own to give.
node_modules/.bin/prosopon --version >/dev/null 2>"$work/log" || { cat "$work/log" >&2; fail 'package: prosopon --version'; }
[ ! -s "$work/log" ] || { cat "$work/log" >&2; fail 'package: prosopon --version writes to stderr'; }
pass 'package: prosopon --version writes nothing to stderr'

# A network runs in the installed package, that is, on the ONNX Runtime it carries.
cat >run.mjs <<'RUN'
const [, , models] = process.argv;
const { NodeNetworkRunner } = await import('./node_modules/prosopon/dist/node/networks/node-runner.js');
const runner = new NodeNetworkRunner({ models });
const { y } = await runner.run('affine-plus', { x: { data: Float32Array.of(4), shape: [1] } });
await runner.close();
if (y.data[0] !== 9) throw new Error(`2 * 4 + 1 gave ${y.data[0]}`);
RUN
node run.mjs "$work/clone/src/networks/testing/models" || fail 'package: a network does not run'
pass 'package: a network runs'

# The bundled head is treated: `demo` finds all that it needs in the package.
npx --no-install prosopon demo shown >/dev/null 2>"$work/log" || { cat "$work/log" >&2; fail 'package: prosopon demo'; }
[ -s shown/report.html ] || fail 'package: prosopon demo wrote no report'
pass 'package: prosopon demo'

# Without the ruler its commands have their help, and say what to install.
for command in 'evaluate --help' 'study score --help'; do
  # shellcheck disable=SC2086
  node_modules/.bin/prosopon $command >"$work/log" || fail "package: prosopon $command without the ruler"
  grep -q -- --json "$work/log" || fail "package: prosopon $command without the ruler says too little"
done
status=0
node_modules/.bin/prosopon study score a.csv --key key.json 2>"$work/log" || status=$?
[ "$status" = 1 ] || fail "package: study without the ruler ends in $status"
grep -q "npm install prosopon-ruler@$version" "$work/log" || fail 'package: study does not say what to install'
pass 'package: without the ruler its commands have help and say what to install'

# The program of one folder finds a ruler in the folder where it is called, which has a copy of the product of its own. What
# the ruler refuses is a refusal to the program all the same.
alone="$PWD/node_modules/.bin/prosopon"
refused() {
  local status=0
  "$1" study score a.csv --key key.json --json >"$work/log" 2>/dev/null || status=$?
  [ "$status" = 1 ] && grep -q '"reason":"not-readable"' "$work/log"
}
both="$work/both" && mkdir "$both" && cd "$both"
install install "$tarball" "$ruler" --offline >/dev/null || fail 'both packages: npm install'
untripped 'both packages'
[ ! -e node_modules/@tensorflow ] || fail 'both packages: an optional peer was installed'
refused "$alone" || { cat "$work/log" >&2; fail 'ruler in the working folder: a refusal is none'; }
pass 'the ruler is found where the user works'
refused node_modules/.bin/prosopon || { cat "$work/log" >&2; fail 'both packages: a refusal is none'; }
npx --no-install prosopon models verify | grep -q 'ok  sqn' || fail 'both packages: models verify lacks a network of the ruler'
pass 'both packages: models verify has networks of both'

# A cohort of one head twice, measured with networks of the product and of the ruler, over worker processes.
for id in 1 2; do
  mkdir -p "bids/sub-$id/anat"
  cp node_modules/prosopon/demo/head.nii.gz "bids/sub-$id/anat/sub-${id}_T1w.nii.gz"
done
node_modules/.bin/prosopon evaluate bids out --methods quickshear --sections brain-age --jobs 2 >/dev/null 2>"$work/log" ||
  { cat "$work/log" >&2; fail 'both packages: prosopon evaluate'; }
grep -q '"name": *"brain-age"' out/results.json || fail 'both packages: the report does not name its network'
pass 'both packages: prosopon evaluate'

install install --global --prefix "$work/global" "$tarball" "$ruler" --offline >/dev/null || fail 'global: npm install'
untripped 'global'
mkdir "$work/elsewhere" && cd "$work/elsewhere"
refused "$work/global/bin/prosopon" || { cat "$work/log" >&2; fail 'global: the ruler is not found'; }
pass 'global: the ruler is found beside the program'

printf '%d passed, 0 failed\n' "$passed"
