#!/usr/bin/env bash
# On a cluster that is found by SLURM_CONF alone, every job that snakemake-executor-plugin-slurm 2.8.0 submits fails, while sbatch
# itself works: the job starts `srun` from an environment out of which the plugin's jobstep takes all variables named SLURM_*, but
# for ten; SLURM_CONF is not among them, and srun ends with "Could not establish a configuration source". The plugin's message is
# "SLURM status is: 'FAILED'. Detailed failure reason unavailable".
#
# No Slurm is needed to see it: `srun` here is a script that writes down its environment, and the job is a Snakefile of one rule,
# run as the plugin runs it on the node (--executor slurm-jobstep). Passes while the behaviour is so.
#
# Usage: bash findings/snakemake-slurm-conf.sh     (needs Python 3.11+ and a package registry; works in a temporary folder)
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
cat >bin/srun <<SRUN
#!/bin/sh
env >"$work/seen"
exit 1
SRUN
chmod +x bin/srun

PATH=$work/bin:$PATH SLURM_CONF=/cluster/slurm.conf SLURM_JOB_ID=1 SLURM_CLUSTER_NAME=test \
  venv/bin/snakemake --executor slurm-jobstep --jobs 1 hello.txt >log 2>&1 || true
if [ ! -f seen ]; then
  echo 'CHANGED: srun was not called'
  tail log
  exit 1
fi
grep -q '^SLURM_JOB_ID=1$' seen || { echo 'CHANGED: srun does not get the number of the job'; exit 1; }
if grep -q '^SLURM_CONF=' seen; then
  echo 'CHANGED: srun gets SLURM_CONF'
  exit 1
fi
echo 'srun gets SLURM_JOB_ID and no SLURM_CONF: such a cluster needs /etc/slurm/slurm.conf, or a DNS record, on its nodes'
