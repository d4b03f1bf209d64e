#!/usr/bin/env bash
# The door of the queue: an archive or a scanner sends studies here (C-STORE, storescp of dcmtk), and work.sh takes them on.
#
#     workflow/pacs/receive.sh SPOOL [more options of storescp]
#
# SPOOL is a folder of this service's own, on a disk that is encrypted as the archive's is: originals lie in it until the new study is
# confirmed. PORT (11112), TITLE (PROSOPON): what senders call it by.
# Each study has a folder and each association a process; a file that breaks off, as the door was killed, was never acknowledged: its
# sender sends it again, under the same name.
set -euo pipefail
[ $# -ge 1 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
spool=$1
shift
umask 077
mkdir -p "$spool/incoming"
# What it reads is kept as it came (no group lengths, no other syntax): +xa takes every syntax, compressed ones too.
exec storescp --fork +xa -aet "${TITLE:-PROSOPON}" -od "$spool/incoming" -su study "$@" "${PORT:-11112}"
