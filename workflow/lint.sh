#!/usr/bin/env bash
# What can be said of the workflow and the images without running them, in half a minute; part of .ci/run. (workflow/test/run.sh runs
# the workflow: it takes a quarter of an hour and root, and Docker and Apptainer are not to be had on every machine.)
#
# Usage: bash workflow/lint.sh     (programs of workflow/requirements.txt and of .ci/requirements.txt on the PATH)
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Snakemake keeps a cache at home.
export XDG_CACHE_HOME=$work/cache

echo 'shellcheck'
shellcheck workflow/*.sh workflow/pacs/*.sh workflow/test/*.sh workflow/slurm/*.sbatch scripts/install-image.sh findings/*.sh

echo 'hadolint'
hadolint Dockerfile
# No linter of Apptainer's definitions is to be had as a package: what its parser makes of ours, as a Dockerfile, is held to the same rules.
# That parser writes ADD, a line a command, and a shell form, where a Dockerfile of ours would not.
spython recipe --parser singularity prosopon.def >"$work/Dockerfile"
grep -q '^COPY --from=build /opt/prosopon /opt/prosopon$' "$work/Dockerfile"
hadolint --ignore DL3020 --ignore DL3025 --ignore DL3059 "$work/Dockerfile"
# Both images get the same files of the clone, and the same program on top.
same() { diff <(grep -oE "$1" Dockerfile | sort -u) <(grep -oE "$1" prosopon.def | sort -u); }
same 'node:[0-9a-z.-]+'
same 'rm -rf .*'
sed -n '/^%files$/,/^%post$/s/^    \([^ ]*\) .*/\1/p' prosopon.def | sort >"$work/def"
sed -n 's/^!//p' .dockerignore | sort | diff - "$work/def"

echo 'snakemake'
given=(input=/data/bids output=/data/released shares=3 'options=--resolution 128' seed_file=/data/seed)
snakemake --snakefile workflow/Snakefile --directory "$work/run" --lint --config "${given[@]}"
for profile in local slurm; do
  snakemake --snakefile workflow/Snakefile --directory "$work/run" --profile "workflow/profiles/$profile" \
    --dry-run --config "${given[@]}" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
  # Plan, three shares, group, all.
  grep -qE '^total +6$' "$work/log" || { cat "$work/log"; exit 1; }
done
if snakemake --snakefile workflow/Snakefile --directory "$work/run" --dry-run >"$work/log" 2>&1 ||
  ! grep -q "expected 'input' in the configuration" "$work/log"; then
  cat "$work/log"
  echo 'expected a refusal without an input'
  exit 1
fi
