#!/bin/bash
# Runs the workflow for real, with jobs killed and a node lost in the middle, and compares what comes out with a run that nobody
# disturbed: byte for byte. Needs root on a Debian machine without a Slurm of its own (with-slurm.sh), Node and Python 3.11+.
#
#     bash workflow/test/run.sh [local] [snakemake-slurm] [sbatch]      all three when none is named
#
#   local             Snakemake, profile local: a share is killed (kill -9) and retried; then snakemake itself is killed and
#                     started again while its jobs still run
#   snakemake-slurm   Snakemake, profile slurm: a job is cancelled and submitted again; the node is lost, and comes back
#   sbatch            slurm/participant.sbatch: a task is killed (kill -9) and queues itself again; the node is lost, and comes back
#
# On one node a job that is begun again meets its own machine. So that it is as on another one, the locks and work folders of the
# lost node are given another machine's name here, and 150 of the 180 seconds after which a lock counts as lost.
#
# SNAKEMAKE: the program, when workflow/requirements.txt is installed already; else it is, in a temporary folder.
# KEEP=1 keeps the temporary folder.
set -euo pipefail

root=$(cd "$(dirname "$0")/../.." && pwd)
workflow=$root/workflow
prosopon=(node "$root/bin/prosopon.mjs")
SHARES=3
PEOPLE=6

if [ "${1:-}" = inside-slurm ]; then
  shift
  dir=$1
  shift
else
  dir=$(mktemp -d /tmp/prosopon-workflow-XXXXXX)
  began=$SECONDS
  # Whatever was started and is still there: by its number.
  children=()
  finish() {
    local code=$?
    for pid in "${children[@]}"; do kill "$pid" 2>/dev/null || true; done
    if [ "${KEEP:-}" = 1 ]; then echo "kept: $dir"; else rm -rf "$dir"; fi
    exit "$code"
  }
  trap finish EXIT
  trap 'exit 130' INT TERM
fi
options=(--resolution 128)

say() { printf '%s  %s\n' "$(date +%T)" "$*"; }
fail() {
  say "FAILED: $*"
  exit 1
}

ended() { grep -rlE '"status":"(done|refused)"' "$1-work/records" 2>/dev/null | wc -l; }
begun() { grep -rlE '"status":"begun"' "$1-work/records" 2>/dev/null | wc -l; }

# Waits for a condition that is a command.
await() {
  local what=$1 seconds=$2
  shift 2
  for ((i = 0; i < seconds * 2; i++)); do
    if "$@"; then return 0; fi
    sleep 0.5
  done
  fail "expected $what within $seconds s, found it was not so"
}
at_least() { [ "$("$1" "$2")" -ge "$3" ]; }
holder() { sed -n 's/.*"pid":\([0-9]*\).*/\1/p' "$1/.prosopon-lock-$2-of-$SHARES"; }

# Which share is at work now.
working_share() {
  local share
  for share in $(seq "$SHARES"); do
    if [ -f "$1/.prosopon-lock-$share-of-$SHARES" ] && kill -0 "$(holder "$1" "$share")" 2>/dev/null; then
      echo "$share"
      return
    fi
  done
}

# The node, and all that ran on it, is gone; what it left is as of another machine. It comes back after a while.
lose_node() {
  local out=$1 file
  "$SLURM_TEST/lose-node"
  local left=0
  while IFS= read -r file; do
    sed -i 's/"host":"[^"]*"/"host":"lost-node 0"/' "$file"
    left=$((left + 1))
    touch -d '150 seconds ago' "$file"
  done < <(find "$out" \( -name '.prosopon-lock*' -o -path '*/.prosopon-*/owner' \) -type f)
  say "node lost; it left $left locks and work folders"
  await 'a node that is down' 90 node_is 'down'
  say "node is down: $(squeue --noheader --format='%i %T' | tr '\n' ';')"
  "$SLURM_TEST/return-node"
  await 'a node that is back' 60 node_is '(idle|mixed|allocated)'
  say 'node is back'
}
node_is() { sinfo --noheader --format=%T | grep -qE "^$1\*?\$"; }

# Every scan done or refused; the output as that of the undisturbed run; nothing left in it.
check() {
  local out=$1 left
  [ "$(ended "$out")" = "$PEOPLE" ] || fail "expected $PEOPLE scans done or refused, found $(ended "$out")"
  [ "$(begun "$out")" = 0 ] || fail 'expected no scan that was begun and not ended'
  [ "$(grep -rl '"status":"refused"' "$out-work/records" | wc -l)" = 1 ] || fail 'expected one scan refused'
  diff -r "$dir/plain" "$out" || fail 'expected the output of the undisturbed run, byte for byte'
  left=$(find "$out" -name '.prosopon*' -o -name '*.part')
  [ -z "$left" ] || fail "expected no locks and work folders, found $left"
  say "as the undisturbed run, byte for byte: $(find "$out" -type f | wc -l) files, $((PEOPLE - 1)) scans done, 1 refused"
}

# Snakemake on an output; the rest are further arguments.
snakemake_on() {
  local name=$1
  shift
  "$SNAKEMAKE" --snakefile "$workflow/Snakefile" --directory "$dir/$name-run" --configfile "$dir/$name.yaml" "$@"
}
configure() {
  mkdir -p "$dir/$1-run"
  cat >"$dir/$1.yaml" <<YAML
input: $dir/bids
output: $dir/$1
prosopon: ${prosopon[*]}
options: [${options[0]}, "${options[1]}"]
seed_file: $dir/seed
shares: $SHARES
jobs_per_share: 1
mem_mb: 2048
runtime: 30
YAML
}

local_profile() {
  local out=$dir/local share snakemake
  configure local
  snakemake_on local --profile "$workflow/profiles/local" --cores 2 --resources mem_mb=6000 >"$dir/local.log" 2>&1 &
  snakemake=$!
  children+=("$snakemake")
  await 'a scan that was begun' 120 at_least begun "$out" 1
  share=$(working_share "$out")
  kill -9 "$(holder "$out" "$share")"
  say "killed share $share"
  await 'three scans' 240 at_least ended "$out" 3
  await 'a scan that was begun' 60 at_least begun "$out" 1
  kill -9 "$snakemake"
  wait "$snakemake" 2>/dev/null || true
  say "killed snakemake with $(ended "$out") of $PEOPLE scans done; shares at work: $(find "$out" -name '.prosopon-lock*' | wc -l)"
  # A killed snakemake leaves its lock on the folder; this says that nobody else is at work there.
  snakemake_on local --profile "$workflow/profiles/local" --unlock >>"$dir/local.log" 2>&1
  snakemake_on local --profile "$workflow/profiles/local" --cores 2 --resources mem_mb=6000 >>"$dir/local.log" 2>&1 ||
    { tail -n 40 "$dir/local.log"; fail 'expected snakemake to end well'; }
  grep -q 'Trying to restart job' "$dir/local.log" || fail 'expected a share that was retried'
  check "$out"
}

snakemake_slurm() {
  local out=$dir/snakemake-slurm snakemake job
  configure snakemake-slurm
  # Looks at its jobs every 5 s, where 40 are better on a real cluster.
  snakemake_on snakemake-slurm --profile "$workflow/profiles/slurm" --slurm-init-seconds-before-status-checks 5 \
    --latency-wait 10 >"$dir/snakemake-slurm.log" 2>&1 &
  snakemake=$!
  children+=("$snakemake")
  await 'a scan that was begun' 120 at_least begun "$out" 1
  job=$(squeue --noheader --states=running --format=%i | head -n 1)
  scancel "$job"
  say "cancelled job $job"
  await 'two scans' 240 at_least ended "$out" 2
  await 'a scan that was begun' 120 at_least begun "$out" 1
  lose_node "$out"
  wait "$snakemake" || { tail -n 40 "$dir/snakemake-slurm.log"; fail 'expected snakemake to end well'; }
  grep -q 'Trying to restart job' "$dir/snakemake-slurm.log" || fail 'expected a job that was retried'
  say "jobs of Slurm: $(squeue --noheader --states=all --format='%i %T' | tr '\n' ';')"
  check "$out"
}

plain_array() {
  local out=$dir/sbatch task group share
  mkdir -p "$dir/sbatch-run"
  cd "$dir/sbatch-run"
  task=$(PROSOPON="${prosopon[*]}" PROSOPON_SEED_FILE=$dir/seed sbatch --parsable --array=1-"$SHARES" --cpus-per-task=1 --mem=2G \
    "$workflow/slurm/participant.sbatch" "$dir/bids" "$out" "${options[@]}")
  group=$(sbatch --parsable --dependency=afterany:"$task" --mem=500M \
    --wrap "${prosopon[*]} bids '$dir/bids' '$out' group --refusals-ok")
  await 'a scan that was begun' 120 at_least begun "$out" 1
  share=$(working_share "$out")
  kill -9 "$(holder "$out" "$share")"
  say "killed share $share"
  await 'two scans' 240 at_least ended "$out" 2
  await 'a scan that was begun' 120 at_least begun "$out" 1
  lose_node "$out"
  await 'an empty queue' 400 queue_is_empty
  tail -n +1 prosopon-*.log | grep -E '^(share|ended)' || true
  say "jobs of Slurm: $(squeue --noheader --states=all --format='%i %T' | tr '\n' ';')"
  squeue --noheader --states=completed --format=%i | grep -qx "$group" || fail 'expected a group job that was completed'
  grep -q 'again' prosopon-*.log || fail 'expected a task that queued itself again'
  check "$out"
}
queue_is_empty() { [ -z "$(squeue --noheader)" ]; }

case ${PHASE:-} in
snakemake-slurm) children=() && snakemake_slurm && exit ;;
sbatch) children=() && plain_array && exit ;;
esac

node "$root/scripts/build.mjs" --if-stale
if [ -z "${SNAKEMAKE:-}" ]; then
  say 'installing workflow/requirements.txt'
  python3 -m venv "$dir/venv"
  "$dir/venv/bin/pip" install --quiet --disable-pip-version-check -r "$workflow/requirements.txt"
  SNAKEMAKE=$dir/venv/bin/snakemake
fi
export SNAKEMAKE
node "$workflow/test/make-dataset.mjs" "$dir/bids" "$PEOPLE"
(umask 077 && echo 7 >"$dir/seed")

timed() {
  local what=$1 from=$SECONDS
  shift
  say "== $what"
  "$@"
  say "== $what: $((SECONDS - from)) s"
}
undisturbed() {
  "${prosopon[@]}" bids "$dir/bids" "$dir/plain" --seed "$(<"$dir/seed")" --jobs 2 --refusals-ok "${options[@]}" --quiet
}
in_slurm() { PHASE=$1 bash "$workflow/test/with-slurm.sh" bash "$workflow/test/run.sh" inside-slurm "$dir"; }

phases=("$@")
[ ${#phases[@]} -gt 0 ] || phases=(local snakemake-slurm sbatch)
timed 'undisturbed' undisturbed
for phase in "${phases[@]}"; do
  case $phase in
  local) timed "$phase" local_profile ;;
  snakemake-slurm | sbatch) timed "$phase" in_slurm "$phase" ;;
  *) fail 'expected local, snakemake-slurm or sbatch' ;;
  esac
done
say "all passed, $((SECONDS - began)) s"
