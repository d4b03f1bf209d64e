#!/usr/bin/env bash
# The queue of workflow/pacs for real, on loopback: an archive (Orthanc), the door (storescp), the worker; studies are sent, the worker
# is killed (kill -9) again and again in the middle, the archive is away for a while, and what the archive gives back is checked.
#
#     bash workflow/test/pacs.sh
#
# Needs Debian's dcmtk and orthanc, curl, util-linux, a built Prosopon, and Python with what pacs_study.py says (PYTHON). Takes minutes.
# KILLS: how often the worker is killed at most, until nothing is left to be done (20). OPTIONS: of prosopon dicom (--resolution 128). KEEP=1 keeps the temporary folder.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
python=${PYTHON:-python3}
read -ra options <<<"${OPTIONS:---resolution 128}"
for program in storescp storescu movescu findscu dcmdump Orthanc curl setpriv flock; do
  command -v "$program" >/dev/null || { echo "$program is missing"; exit 77; }
done
dir=$(mktemp -d /tmp/prosopon-pacs-XXXXXX)
spool=$dir/spool began=$SECONDS
# Whatever was started and is still there: by its number.
children=()
finish() {
  local code=$?
  for pid in "${children[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  if [ "${KEEP:-}" = 1 ]; then echo "kept: $dir"; else rm -rf "$dir"; fi
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT TERM
say() { printf '%4d s  %s\n' $((SECONDS - began)) "$*"; }
fail() { say "FAILED: $*"; exit 1; }
await() {
  local what=$1 seconds=$2
  shift 2
  for ((i = 0; i < seconds * 5; i++)); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.2
  done
  fail "$what did not come within $seconds s"
}

# Ports that nobody has, and no more than that: somebody may take one in between, and then this ends in a failure.
read -r door store web home < <("$python" -c 'import socket
all = [socket.socket() for _ in range(4)]
for one in all: one.bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in all))')

mkdir "$dir/archive"
cat >"$dir/archive.json" <<JSON
{ "Name": "archive", "StorageDirectory": "$dir/archive", "IndexDirectory": "$dir/archive", "DicomAet": "ARCHIVE",
  "DicomPort": $store, "HttpPort": $web, "RemoteAccessAllowed": false, "AuthenticationEnabled": false, "Plugins": [],
  "DicomAlwaysAllowFind": true, "DicomAlwaysAllowMove": true, "OverwriteInstances": true,
  "DicomModalities": { "home": ["HOME", "127.0.0.1", $home] } }
JSON
archive() {
  Orthanc "$dir/archive.json" >>"$dir/archive.log" 2>&1 &
  orthanc=$!
  children+=("$orthanc")
  await 'the archive' 60 curl -fsS "http://127.0.0.1:$web/system"
}
export KEY=$dir/key SEED=$dir/seed ARCHIVE=127.0.0.1:$store:ARCHIVE TITLE=PROSOPON QUIET=3 POLL=1 PORT=$door
export PROSOPON=${PROSOPON:-node $root/bin/prosopon.mjs}
echo 'a key of a site that is nobody' >"$KEY"
echo 'a seed of a site that is nobody' >"$SEED"
worker() {
  bash "$root/workflow/pacs/work.sh" "$spool" "$@" >>"$dir/worker.log" 2>&1 &
  pid=$!
  children+=("$pid")
}
send() { storescu -q -aet SCANNER -aec PROSOPON +sd 127.0.0.1 "$door" "$1"; }
# What the archive has: the SHA-256 of each file by its UID.
stored() { "$python" - "$1" <<'PY'
import hashlib, pathlib, sys
import pydicom
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*")):
    if path.is_file():
        d = pydicom.dcmread(path)
        print(d.SOPInstanceUID, hashlib.sha256(d.PixelData).hexdigest())
PY
}
# By movescu, study by study, as another node of the hospital gets it.
fetch() {
  local into=$1 study
  mkdir "$into"
  storescp -q --fork -aet HOME -od "$into" "$home" &
  local scp=$!
  children+=("$scp")
  sleep 1
  for study in $(findscu -v -S -aet HOME -aec ARCHIVE 127.0.0.1 "$store" -k 0008,0052=STUDY -k 0020,000d 2>&1 |
    grep -aoE '^I: \(0020,000d\) UI \[[0-9.]+' | grep -oE '[0-9.]+$'); do
    movescu -q -S -aet HOME -aec ARCHIVE -aem HOME 127.0.0.1 "$store" -k 0008,0052=STUDY -k "0020,000d=$study"
  done
  kill "$scp"
  wait "$scp" 2>/dev/null || true
}
count() { curl -fsS "http://127.0.0.1:$web/statistics" | "$python" -c 'import json,sys; print(json.load(sys.stdin)["CountInstances"])'; }

say 'studies of a head that is nobody'
"$python" "$root/workflow/test/pacs_study.py" make "$dir/made"
archive
bash "$root/workflow/pacs/receive.sh" "$spool" -q >"$dir/door.log" 2>&1 &
children+=($!)
await 'the door' 20 echoscu -aec PROSOPON 127.0.0.1 "$door"

say 'one study, nobody disturbs it'
send "$dir/made/one"
await 'the study in the queue' 5 test -n "$(ls "$spool/incoming")"
start=$SECONDS
worker --once -- "${options[@]}"
wait "$pid" || { cat "$dir/worker.log"; fail 'the worker'; }
say "done in $((SECONDS - start)) s: $(tail -n 1 "$dir/worker.log" | cut -d' ' -f4-)"
fetch "$dir/back-one"
"$python" "$root/workflow/test/pacs_study.py" check "$dir/made/one" "$dir/back-one"
[ -z "$(find "$spool"/{queue,outgoing,quarantine} -mindepth 1 -print -quit)" ] || fail 'something is left'
stored "$dir/back-one" >"$dir/one.sums"
"$python" -c 'import pathlib, sys, pydicom
print(pydicom.dcmread(next(pathlib.Path(sys.argv[1]).iterdir())).StudyInstanceUID)' "$dir/back-one" >"$dir/one.study"

say 'the same study once more, with one that has a secondary capture and one that must be refused; the worker is killed'
curl -fsS -X DELETE "http://127.0.0.1:$web/patients/$(curl -fsS "http://127.0.0.1:$web/patients" | grep -oE '[0-9a-f-]{44}')" >/dev/null
for name in one two burned; do send "$dir/made/$name"; done
kills=${KILLS:-20}
for ((k = 1; k <= kills; k++)); do
  worker -- "${options[@]}"
  # At moments that nobody chose, the last ones later: before, while and after the first is treated.
  most=$((k < 12 ? 2 * k : 24))
  sleep $((1 + RANDOM % most)).$((RANDOM % 10))
  kill -9 "$pid"
  wait "$pid" 2>/dev/null || true
  say "killed ($k): $(find "$spool/work" -mindepth 1 -maxdepth 1 | wc -l) begun, $(find "$spool/outgoing" -mindepth 1 -maxdepth 1 | wc -l) to be sent, $(count) objects in the archive"
  # Nothing is lost: each study is still to be treated, to be sent, or was.
  held=$(find "$spool"/incoming "$spool"/queue -mindepth 1 -maxdepth 1 -type d | wc -l)
  ended=$(find "$spool"/done "$spool"/quarantine -mindepth 1 -maxdepth 1 -type d | wc -l)
  [ -n "$(find "$spool"/incoming "$spool"/queue "$spool"/outgoing -type f -print -quit)" ] || break
  [ $((held + ended)) -ge 3 ] || fail "studies: $held held, $ended ended"
done

say 'the archive is killed, and away when a study is to be sent'
send "$dir/made/one"
kill -9 "$orthanc"
wait "$orthanc" 2>/dev/null || true
worker --once -- "${options[@]}"
await 'a study that waits for the archive' 600 grep -q 'does not take it' "$dir/worker.log"
archive
wait "$pid" || { cat "$dir/worker.log"; fail 'the worker'; }

say 'the worker and what sends are killed as a study is half sent'
forget() { curl -fsS -X DELETE "http://127.0.0.1:$web/studies/$1" >/dev/null; }
for id in $(curl -fsS "http://127.0.0.1:$web/studies" | grep -oE '[0-9a-f]{8}(-[0-9a-f]{8}){4}'); do
  ! curl -fsS "http://127.0.0.1:$web/studies/$id" | grep -qF "$(cat "$dir/one.study")" || forget "$id"
done
before=$(count)
send "$dir/made/one"
worker -- "${options[@]}"
for ((i = 0; i < 3000; i++)); do
  [ "$(count)" = "$before" ] || break
  sleep 0.02
done
mapfile -t started < <(pgrep -P "$pid")
kill -9 "$pid" "${started[@]}" 2>/dev/null || true
wait "$pid" 2>/dev/null || true
sleep 1
say "killed: $(($(count) - before)) of 60 objects in the archive, $(find "$spool/outgoing" -mindepth 1 -maxdepth 1 | wc -l) to be sent"
worker --once -- "${options[@]}"
wait "$pid" || { cat "$dir/worker.log"; fail 'the worker'; }

fetch "$dir/back"
mkdir "$dir/back-one-again" "$dir/back-two"
ids=$("$python" - "$dir/back" "$dir/back-one" "$dir/back-one-again" "$dir/back-two" <<'PY'
import pathlib, shutil, sys
import pydicom
back, one, again, two = map(pathlib.Path, sys.argv[1:])
known = {pydicom.dcmread(path).StudyInstanceUID for path in one.iterdir()}
for path in back.iterdir():
    shutil.copy(path, again if pydicom.dcmread(path).StudyInstanceUID in known else two)
print(len(list(back.iterdir())))
PY
)
say "$ids objects in the archive"
for name in one two; do
  from=$dir/back-$name
  [ "$name" = two ] || from=$dir/back-one-again
  "$python" "$root/workflow/test/pacs_study.py" check "$dir/made/$name" "$from"
done
stored "$dir/back-one-again" | diff "$dir/one.sums" - >/dev/null || fail 'another face after a kill'
say 'the first study has the same bytes of voxels and the same UIDs as when nobody disturbed it'
[ "$(find "$spool/quarantine" -name reason.txt | wc -l)" = 2 ] || fail 'expected two studies in quarantine'
for reason in "$spool"/quarantine/*/reason.txt; do
  say "quarantine, $(find "$(dirname "$reason")/originals" -type f | wc -l) originals: $(cat "$reason")"
done
[ -z "$(find "$spool/queue" "$spool/outgoing" "$spool/incoming" -type f)" ] || fail 'something is left in the queue'
if grep -aiE 'QZNEEDLE' "$dir/worker.log" "$spool"/quarantine/*/reason.txt "$spool"/done/*/*; then fail 'a word of the person'; fi
say 'all as asked'
