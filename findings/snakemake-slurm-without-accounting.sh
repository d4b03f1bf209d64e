#!/usr/bin/env bash
# On a Slurm without accounting (Debian's default) snakemake-executor-plugin-slurm 2.8.0 never sees a job end: it takes `sacct`
# wherever that program is installed, `sacct` answers "Slurm accounting storage is disabled" with exit 1, and the jobs are no longer
# looked for. Snakemake waits for ever, and SIGTERM does not end it. With
# --slurm-status-command squeue the same workflow ends in seconds.
#
# No Slurm is needed to see it: its programs are scripts here that answer as slurm-wlm 22.05.8 does. Passes while the behaviour is so.
#
# Usage: bash findings/snakemake-slurm-without-accounting.sh     (needs Python 3.11+ and a package registry; a temporary folder; 2 min)
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check \
  snakemake==9.27.1 snakemake-executor-plugin-slurm==2.8.0 snakemake-executor-plugin-slurm-jobstep==0.6.1
venv/bin/pip list --disable-pip-version-check 2>/dev/null | grep '^snakemake'

cat >Snakefile <<'RULE'
rule hello:
    output:
        "hello.txt",
    shell:
        "echo hello >{output}"
RULE
mkdir bin
program() { { echo '#!/bin/sh'; cat; } >"bin/$1" && chmod +x "bin/$1"; }
# The job is done as soon as it is submitted.
program sbatch <<<"echo hello >'$work/hello.txt'; echo 7"
program sacct <<<"echo 'Slurm accounting storage is disabled' >&2; exit 1"
program squeue <<<"echo '7|COMPLETED'"
program sinfo <<<"echo 'PARTITION'; echo 'test*'"
program scontrol <<<"echo 'MinJobAge               = 300 sec'"
program scancel <<<'exit 0'

# Ends with 0, or is told to end after 60 s and killed 10 s later (137).
ended() {
  rm -rf hello.txt .snakemake
  local code=0
  PATH=$work/bin:$PATH timeout --kill-after=10 60 venv/bin/snakemake hello.txt --executor slurm --jobs 1 --slurm-no-account \
    --slurm-init-seconds-before-status-checks 2 --slurm-status-attempts 2 --default-resources runtime=5 mem_mb=100 \
    "$@" >log 2>&1 || code=$?
  echo "$code"
}
with_squeue=$(ended --slurm-status-command squeue)
as_it_is=$(ended)
echo "status by squeue: exit $with_squeue; as it is: exit $as_it_is (137: neither ended by itself nor by SIGTERM)"
[ "$with_squeue" = 0 ] || { echo 'CHANGED: the workflow does not end with squeue either'; exit 1; }
[ "$as_it_is" = 137 ] || { echo 'CHANGED: the workflow ends'; tail -n 20 log; exit 1; }
