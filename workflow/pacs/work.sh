#!/usr/bin/env bash
# The worker of the queue: gives each study that has come in new faces and clean headers, sends it on and asks the archive whether all of
# it is there; only then are the originals removed. What is refused goes to quarantine with its reason. May be killed at any moment.
#
#     workflow/pacs/work.sh SPOOL [--once] [-- options of prosopon dicom]
#
#   SPOOL/incoming/STUDY     as it comes (receive.sh)
#   SPOOL/queue/N            a study in which nothing came for QUIET seconds, whole: a folder is renamed, never copied
#   SPOOL/work/N             what prosopon is writing; thrown away when a run was killed
#   SPOOL/outgoing/N         verified, to be sent; the same bytes however often it is sent
#   SPOOL/done/N             report.json and report.html of what was sent and confirmed
#   SPOOL/quarantine/N       originals/, reason.txt and what was said: to be looked at by a person
#
# KEY, SEED: files of the site (secret): the same UIDs and the same face in each run, so that what is sent twice is the same object twice.
# ARCHIVE: HOST:PORT:TITLE of where results go. TITLE: ours. QUIET: seconds (60). TRIES: of what fails, not of what is refused (3).
# With --once it ends when nothing is left to be done; else it looks again every POLL seconds (10).
set -euo pipefail
usage() { sed -n '2,17s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ $# -ge 1 ] || usage
spool=$1
shift
once=false
if [ "${1:-}" = --once ]; then once=true; shift; fi
if [ "${1:-}" = -- ]; then shift; elif [ $# -gt 0 ]; then usage; fi
: "${KEY:?a file with the key of the site}" "${SEED:?a file with the seed of the site}" "${ARCHIVE:?HOST:PORT:TITLE}"
IFS=: read -r host port archive <<<"$ARCHIVE"
read -ra prosopon <<<"${PROSOPON:-npx prosopon}"
title=${TITLE:-PROSOPON} quiet=${QUIET:-60} tries=${TRIES:-3}
umask 077
mkdir -p "$spool"/{incoming,queue,work,outgoing,done,quarantine}

# One worker at a time: the lock ends with the process, however that ends.
exec 9>"$spool/lock"
flock --nonblock 9 || { echo 'another worker has this queue' >&2; exit 1; }

# Of a worker that was killed.
rm -rf "${spool:?}"/work/*

# Numbers say nothing of a person. No patient, no UID and no path goes to the log.
say() { printf '%s  %s\n' "$(date +%FT%T)" "$*"; }

# A study is whole when nothing came for a while, as DICOM does not say when it ends. What comes later is a study of its own in the
# queue; by key and seed it gets the UIDs and the face of the first.
collect() {
  local folder n
  for folder in "$spool"/incoming/*/; do
    [ -d "$folder" ] || continue
    [ -n "$(find "$folder" -type f -print -quit)" ] || continue
    [ -z "$(find "$folder" -newermt "-$quiet seconds" -print -quit)" ] || continue
    n=$(date +%s%N)
    mv -T "$folder" "$spool/queue/$n"
    say "$n: $(find "$spool/queue/$n" -type f | wc -l) files"
  done
}

# Each step leaves the queue in a state from which the next look goes on; sync before what cannot be taken back.
quarantine() {
  local n=$1 reason=$2 into=$spool/quarantine/$1
  mkdir -p "$into"
  printf '%s\n' "$reason" >"$into/reason.txt"
  [ ! -d "$spool/queue/$n" ] || mv -T "$spool/queue/$n" "$into/originals"
  sync -f "$spool"
  say "$n: quarantine: $reason"
}

treat() {
  local n=$1 code=0 work
  shift
  # A name of its own: what a worker that was killed had started may still write under another.
  work=$(mktemp -d "$spool/work/$n.XXXXXX")
  setpriv --pdeathsig KILL "${prosopon[@]}" dicom "$spool/queue/$n" "$work/out" --key-file "$KEY" --seed-file "$SEED" --quiet --json "$@" \
    >"$work/said.json" 2>"$work/log" 9>&- || code=$?
  if [ "$code" = 1 ] || [ "$code" = 2 ]; then
    # Refused, in part or whole: the originals wait for a person; series that were treated are whole, verified and go on.
    mkdir -p "$spool/quarantine/$n"
    cp "$work/said.json" "$work/log" "$spool/quarantine/$n/"
    : >"$work/refused"
  elif [ "$code" != 0 ]; then
    # A defect, or killed: again, a few times.
    printf x >>"$spool/queue/$n.failed"
    say "$n: failed with code $code"
    if [ "$(wc -c <"$spool/queue/$n.failed")" -ge "$tries" ]; then
      mkdir -p "$spool/quarantine/$n"
      cp "$work/log" "$spool/quarantine/$n/"
      rm -f "$spool/queue/$n.failed"
      quarantine "$n" "failed $tries times, the last time with code $code"
    fi
    rm -rf "$work"
    return
  fi
  rm -f "$spool/queue/$n.failed"
  if [ ! -d "$work/out" ]; then
    quarantine "$n" "$(tail -n 1 "$work/log")"
    rm -rf "$work"
    return
  fi
  sync -f "$work"
  mv -T "$work" "$spool/outgoing/$n"
}

# UIDs of all objects in a folder, or of those that the archive has of their series.
ours() { find "$1" -name '*.dcm' -exec dcmdump -q +P 0008,0018 -s {} + | grep -oE '\[[0-9.]+\]' | tr -d '[]' | sort -u; }
theirs() {
  local study series
  find "$1" -name 000001.dcm | while read -r file; do
    study=$(dcmdump -q +P 0020,000d -s "$file" | grep -oE '\[[0-9.]+\]' | tr -d '[]')
    series=$(dcmdump -q +P 0020,000e -s "$file" | grep -oE '\[[0-9.]+\]' | tr -d '[]')
    findscu -S -aet "$title" -aec "$archive" "$host" "$port" -k 0008,0052=IMAGE -k "0020,000d=$study" \
      -k "0020,000e=$series" -k 0008,0018 2>&1 </dev/null | grep -aoE '\(0008,0018\) UI \[[0-9.]+' | grep -oE '[0-9.]+$'
  done | sort -u
}

# All of it is sent again after a kill: the archive has each object once, as UIDs and bytes are the same.
send() {
  local n=$1 out=$spool/outgoing/$1/out files
  if ! storescu -q -aet "$title" -aec "$archive" +sd +r +sp '*.dcm' "$host" "$port" "$out" 9>&-; then
    say "$n: the archive does not take it; tried again later"
    return 1
  fi
  ours "$out" >"$spool/outgoing/$n/ours" || true
  theirs "$out" >"$spool/outgoing/$n/theirs" || true
  files=$(find "$out" -name '*.dcm' | wc -l)
  if [ "$(wc -l <"$spool/outgoing/$n/ours")" != "$files" ] || [ -n "$(comm -23 "$spool/outgoing/$n/ours" "$spool/outgoing/$n/theirs")" ]; then
    say "$n: sent, and not all of it found in the archive; sent again later"
    return 1
  fi
  # Called where a command that fails ends nothing: originals are removed after all of it has gone well alone.
  mkdir -p "$spool/done/$n" && cp "$out"/report.{json,html} "$spool/done/$n/" && sync -f "$spool" || return 1
  if [ -e "$spool/outgoing/$n/refused" ]; then
    quarantine "$n" "$(tail -n 1 "$spool/quarantine/$n/log")" || return 1
  else
    rm -rf "${spool:?}/queue/$n" || return 1
  fi
  rm -rf "$spool/outgoing/$n"
  say "$n: $files files sent and found in the archive"
}

while :; do
  collect
  waiting=false
  for folder in "$spool"/outgoing/*/; do
    [ -d "$folder" ] || continue
    send "$(basename "$folder")" || waiting=true
  done
  for folder in "$spool"/queue/*/; do
    [ -d "$folder" ] || continue
    n=$(basename "$folder")
    # Treated before, and waiting for the archive.
    [ ! -d "$spool/outgoing/$n" ] || continue
    treat "$n" "$@"
    [ ! -d "$spool/outgoing/$n" ] || send "$n" || waiting=true
  done
  if $once && ! $waiting && [ -z "$(find "$spool/incoming" "$spool/queue" "$spool/outgoing" -mindepth 1 -maxdepth 2 -type f -print -quit)" ]; then
    exit 0
  fi
  sleep "${POLL:-10}" 9>&-
done
