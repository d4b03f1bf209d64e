#!/usr/bin/env python3
"""Peak memory of a command and all processes under it, as docs/cluster.md states it for a worker.

Samples /proc five times a second (Linux only): the sum of proportional set sizes, in which pages that processes share count once,
and the largest resident size of each process by itself.

    python3 workflow/test/peak_memory.py node bin/prosopon.mjs bids IN OUT participant --jobs 1
"""

import json
import subprocess
import sys
import time
from pathlib import Path


def children():
    """Processes by parent."""
    tree = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            text = stat.read_text()
        except OSError:
            continue
        parent = int(text[text.rindex(")") + 2 :].split()[1])
        tree.setdefault(parent, []).append(int(stat.parent.name))
    return tree


def under(root):
    tree, found, waiting = children(), [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += tree.get(pid, [])
    return found


def megabytes(pid, file, field):
    for line in Path(f"/proc/{pid}/{file}").read_text().splitlines():
        if line.startswith(field + ":"):
            return int(line.split()[1]) / 1024
    return 0.0


def main(command):
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peak, largest = 0.0, {}
    while process.poll() is None:
        total = 0.0
        for pid in under(process.pid):
            try:
                total += megabytes(pid, "smaps_rollup", "Pss")
                words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
                role = (
                    "networks"
                    if any("network-child" in word for word in words)
                    else "worker"
                    if "--worker" in words
                    else "first process"
                )
                largest[role] = max(largest.get(role, 0.0), megabytes(pid, "status", "VmHWM"))
            except OSError:
                continue
        peak = max(peak, total)
        time.sleep(0.2)
    print(
        json.dumps(
            {
                "exit": process.returncode,
                "seconds": round(time.monotonic() - began),
                "peakMb": round(peak),
                "largestMb": {role: round(mb) for role, mb in largest.items()},
            }
        )
    )
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
