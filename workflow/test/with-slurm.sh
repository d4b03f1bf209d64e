#!/bin/bash
# Runs a command beside a real Slurm of one node: Debian's slurm-wlm and munge are installed if they are not there, a configuration
# is written to a temporary folder, munged, slurmctld and slurmd are started on loopback, and everything is stopped and taken
# away again when the command ends. For tests, on a machine that is yours: it needs root and no other Slurm.
#
#     bash workflow/test/with-slurm.sh sbatch --wait --wrap 'echo hello'
#
# The configuration is linked to from /etc/slurm/slurm.conf: SLURM_CONF alone is not enough for Snakemake's jobs
# (findings/snakemake-slurm-conf.sh). In SLURM_TEST the command finds what it needs to lose the node and get it back:
# "$SLURM_TEST/lose-node" kills slurmd, its step daemons and all that they started, as a power cut would;
# "$SLURM_TEST/return-node" starts slurmd again.
set -euo pipefail

if [ $# = 0 ]; then
  echo 'expected a command: with-slurm.sh COMMAND...' >&2
  exit 2
fi
if [ "$(id -u)" != 0 ]; then
  echo 'expected root: munged, slurmctld and slurmd are started here' >&2
  exit 2
fi
if ! command -v slurmctld >/dev/null || ! command -v slurmd >/dev/null || ! command -v munged >/dev/null; then
  echo 'installing slurm-wlm and munge' >&2
  apt-get update -qq
  # Quiet, and whole if it fails.
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm munge >/dev/null
fi

usual=/etc/slurm/slurm.conf
# A link to nothing is what a test that was killed has left.
if [ -e "$usual" ]; then
  echo "expected a machine without a Slurm of its own, found $usual" >&2
  exit 2
fi
dir=$(mktemp -d /tmp/slurm-test-XXXXXX)
conf=$dir/slurm.conf
export SLURM_TEST=$dir
unset SLURM_CONF
host=$(hostname -s)
mkdir -p "$dir/state" "$dir/spool" "$dir/munge"
chmod 755 "$dir"
chmod 700 "$dir/munge"

# Ends a daemon by its own number, and waits for it.
stop() {
  local pid
  pid=$(cat "$1" 2>/dev/null) || return 0
  kill "$pid" 2>/dev/null || return 0
  for _ in $(seq 50); do
    kill -0 "$pid" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -9 "$pid" 2>/dev/null || true
}

clean_up() {
  local code=$?
  trap - EXIT
  set +e
  # Jobs first, while there is somebody to end them.
  timeout 10 scancel --user=root --quiet 2>/dev/null
  for _ in $(seq 20); do
    [ -z "$(timeout 5 squeue --noheader 2>/dev/null)" ] && break
    sleep 0.5
  done
  if [ "$code" != 0 ]; then
    echo '-- slurmctld, last lines' >&2
    tail -n 15 "$dir/slurmctld.log" >&2
    echo '-- slurmd, last lines' >&2
    tail -n 15 "$dir/slurmd.log" >&2
  fi
  stop "$dir/slurmd.pid"
  stop "$dir/slurmctld.pid"
  stop "$dir/munge/munged.pid"
  rm -rf "$dir"
  [ -L "$usual" ] && [ ! -e "$usual" ] && rm -f "$usual"
  exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A key and socket of its own: nothing of the system's munge is touched.
(umask 077 && head -c 128 /dev/urandom >"$dir/munge/key")
munge_socket=$dir/munge.socket
munged --force --key-file="$dir/munge/key" --socket="$munge_socket" --pid-file="$dir/munge/munged.pid" \
  --log-file="$dir/munge/log" --seed-file="$dir/munge/seed"

cpus=$(nproc)
memory=$(awk '/MemAvailable/ { print int($2 / 1024) }' /proc/meminfo)
cat >"$conf" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=16817
SlurmdPort=16818
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
# cred_expire: a job that is begun again waits as long (120 s by default).
AuthInfo=socket=$munge_socket,cred_expire=10
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
# Debian's default, proctrack/cgroup, needs cgroups and systemd: without them slurmd starts, and tasks are COMPLETED that never ran.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=batch_sched_delay=1,sched_interval=5
# A node that does not answer is lost after 10 s, its jobs are queued again, and it is taken back when it answers.
SlurmdTimeout=10
ReturnToService=2
JobRequeue=1
KillWait=10
# As Debian's: ended jobs are known to squeue for five minutes.
MinJobAge=300
NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$memory State=UNKNOWN
PartitionName=test Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF

cat >"$dir/lose-node" <<LOSE
#!/bin/bash
# The node is gone: slurmd, step daemons and everything under them at once, without a chance to clean up. Found by their parents,
# never by a name alone.
set -uo pipefail
under() { local child; for child in \$(ps -o pid= --ppid "\$1"); do under "\$child"; echo "\$child"; done; }
# Of this Slurm's own spool folder: a step daemon holds its socket there.
steps=\$(for pid in \$(ps -C slurmstepd -o pid=); do ls -l /proc/\$pid/fd 2>/dev/null | grep -q "$dir" && echo \$pid; done)
victims=\$(for pid in \$steps; do under "\$pid"; done)
kill -9 \$(cat "$dir/slurmd.pid") \$steps \$victims 2>/dev/null
rm -f "$dir/slurmd.pid"
LOSE
cat >"$dir/return-node" <<RETURN
#!/bin/bash
set -euo pipefail
slurmd -f "$conf" -N "$host"
RETURN
chmod 755 "$dir/lose-node" "$dir/return-node"

mkdir -p /etc/slurm
ln -sfn "$conf" "$usual"
slurmctld -f "$conf"
"$dir/return-node"
for _ in $(seq 60); do
  [ "$(sinfo --noheader --format=%T 2>/dev/null)" = idle ] && break
  sleep 0.5
done
if [ "$(sinfo --noheader --format=%T)" != idle ]; then
  echo 'expected a node that is idle, found' >&2
  sinfo >&2
  exit 1
fi
"$@"
