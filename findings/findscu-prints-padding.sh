#!/usr/bin/env bash
# Condition: an archive answers findscu with UIDs of an odd number of characters, which DICOM fills up with a zero byte.
# A guess: the text that findscu prints shows the UID, as dcmdump of the same toolkit does for the same UID in a file.
# Seen with dcmtk 3.6.7 (Debian 12; the archive is dcmqrscp of the same package, and Orthanc 1.10.1 alike): findscu prints the zero byte
# within the brackets, "[1.2.3.4.1\0]". grep then takes all of its output for binary and prints none of the lines that match: a script
# that looks for what an archive has finds nothing, or, where all UIDs are of even length, everything. `grep -a`, and no bracket at the end.
# Needs dcmtk on the path; exits with 77 where it is missing.
set -euo pipefail
for program in findscu dcmqrscp storescu dump2dcm dcmdump; do
  command -v "$program" >/dev/null || { echo "$program is missing"; exit 77; }
done
dir=$(mktemp -d)
archive=
trap '[ -z "$archive" ] || kill "$archive" 2>/dev/null; wait; rm -rf "$dir"' EXIT
cd "$dir"
mkdir db
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >archive.cfg <<CFG
NetworkTCPPort = $port
MaxPDUSize = 16384
MaxAssociations = 4
HostTable BEGIN
HostTable END
VendorTable BEGIN
VendorTable END
AETable BEGIN
ARCHIVE db RW (9, 1024mb) ANY
AETable END
CFG
for uid in 1.2.3.41 1.2.3.4.1; do
  cat >dump <<DUMP
(0008,0016) UI =MRImageStorage
(0008,0018) UI [$uid]
(0008,0020) DA [20240101]
(0008,0030) TM [000000]
(0008,0050) SH [1]
(0010,0010) PN [NOBODY]
(0010,0020) LO [NOBODY1]
(0020,000d) UI [1.2.3]
(0020,000e) UI [1.2.3.4]
(0020,0010) SH [1]
(0020,0011) IS [1]
(0020,0013) IS [1]
DUMP
  dump2dcm -q dump "$uid.dcm"
done
dcmqrscp -q -c archive.cfg &
archive=$!
for _ in $(seq 50); do
  if echoscu -q -aec ARCHIVE 127.0.0.1 "$port" 2>/dev/null; then break; fi
  sleep 0.2
done
storescu -q -aec ARCHIVE 127.0.0.1 "$port" 1.2.3.41.dcm 1.2.3.4.1.dcm
findscu -S -aec ARCHIVE 127.0.0.1 "$port" -k 0008,0052=IMAGE -k 0020,000d=1.2.3 -k 0020,000e=1.2.3.4 -k 0008,0018 >found 2>&1
lines=$(grep -ac '0008,0018' found)
plain=$(grep -acF '[1.2.3.41]' found || true)
filled=$(LC_ALL=C grep -acP '\[1\.2\.3\.4\.1\x00\]' found || true)
dumped=$(dcmdump +P 0008,0018 1.2.3.4.1.dcm | grep -acF '[1.2.3.4.1]' || true)
findscu --version | sed -n 1p
echo "lines with a SOP Instance UID: $lines; even one as it is: $plain; odd one with a zero byte: $filled; odd one by dcmdump as it is: $dumped"
[ "$lines $plain $filled $dumped" = '2 1 1 1' ] || { echo "behaviour changed"; exit 1; }
