#!/usr/bin/env bash
# Try the Slurm profile for real: start a Slurm of one node, Debian's own, on this machine; have it do four trainings of the
# smallest preset as jobs of their own; see that each was one, that its notebook is there, and that a second call does
# nothing; stop it again. As root on Debian or Ubuntu, `make setup` done: tests/slurm/one_node.sh
#
# Everything happens in a temporary folder, on a copy of the project. What stays are the installed packages: Debian's
# slurm-wlm and munge, and Snakemake's plug-in in .venv.
set -euo pipefail
cd "$(dirname "$0")/../.."
project=$PWD
losses=(bce dice)
seeds=(0 1)

step() {
    printf '\n== %s (%s)\n' "$1" "$(date +%H:%M:%S)"
}

fail() {
    printf 'error: %s\n' "$1" >&2
    exit 1
}

# Wait for a command to succeed, at most half a minute.
until_true() {
    for _ in $(seq 60); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.5
    done
    fail "in vain waited for: $*"
}

running=() # process ids of the daemons, in the order of their start
stop() {
    status=$?
    trap - EXIT
    if [ "$status" -ne 0 ]; then
        find "$work" -name '*.log' -size +0 -exec tail -n 20 {} + || true
    fi
    step "Stop the daemons, remove $work"
    for ((i = ${#running[@]} - 1; i >= 0; i--)); do
        kill "${running[i]}" 2>/dev/null || true
        wait "${running[i]}" 2>/dev/null || true
    done
    rm -rf "$work"
    [ "$status" -eq 0 ] || echo "FAILED with status $status" >&2
    exit "$status"
}

[ "$(id -u)" -eq 0 ] || fail "Slurm's daemons are started by hand here, and jobs in their name: run this as root"
[ -x .venv/bin/snakemake ] || fail "no .venv: run make setup first"
work=$(mktemp -d)
trap stop EXIT

step "Install what is missing"
missing=()
command -v munged >/dev/null || missing+=(munge)
if ! command -v slurmctld >/dev/null || ! command -v slurmd >/dev/null || ! command -v sbatch >/dev/null; then
    missing+=(slurm-wlm)
fi
if [ "${#missing[@]}" -gt 0 ]; then
    echo "Debian packages: ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
if ! .venv/bin/python -c 'import snakemake_executor_plugin_slurm' 2>/dev/null; then
    echo "Snakemake's plug-in, by the line of book/scaling_out.md"
    .venv/bin/python -m pip install --quiet --no-build-isolation --editable '.[cluster]'
fi
.venv/bin/python -c '
from importlib.metadata import version
for name in ("snakemake", "snakemake-executor-plugin-slurm"):
    print(name, version(name))'
slurmctld -V

step "Configure"
node=$(hostname -s)
read -r controller_port node_port < <(.venv/bin/python -c '
import socket
pair = [socket.socket(), socket.socket()]
for each in pair:
    each.bind(("127.0.0.1", 0))
print(*[each.getsockname()[1] for each in pair])')
# No systemd, no cgroups and no accounting database, so that it also runs in a container. jobcomp writes a line for each
# job, which is what this test reads in the end.
cat >"$work/slurm.conf" <<END
ClusterName=one_node
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$controller_port
SlurmdPort=$node_port
AuthType=auth/munge
AuthInfo=socket=$work/munge.socket
CryptoType=crypto/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$work/jobs.txt
MinJobAge=3600
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$(awk '/MemTotal/ {print int($2 / 1024 * 0.9)}' /proc/meminfo) State=UNKNOWN
PartitionName=all Nodes=$node Default=YES MaxTime=INFINITE State=UP
END
cat "$work/slurm.conf"
export SLURM_CONF=$work/slurm.conf
# Snakemake's plug-in takes this variable out of what a job's srun sees, because on a cluster Slurm's configuration is in /etc.
mkdir "$work/bin"
printf '#!/bin/sh\nSLURM_CONF=%s exec %s "$@"\n' "$SLURM_CONF" "$(command -v srun)" >"$work/bin/srun"
chmod +x "$work/bin/srun"
mkdir "$work/state" "$work/spool"
touch "$work/jobs.txt"
(umask 077 && head -c 128 /dev/urandom >"$work/munge.key")
chmod 755 "$work" # munged's socket has to be reached by others' jobs, as on a cluster

step "Start munged, slurmctld, slurmd"
munged --foreground --force --key-file "$work/munge.key" --socket "$work/munge.socket" --pid-file "$work/munged.pid" \
    --seed-file "$work/munged.seed" >"$work/munged.log" 2>&1 &
running+=($!)
until_true munge --no-input --socket "$work/munge.socket"
slurmctld -D >"$work/slurmctld.log" 2>&1 &
running+=($!)
until_true scontrol ping
slurmd -D -N "$node" >"$work/slurmd.log" 2>&1 &
running+=($!)
until_true sh -c "sinfo --noheader --format %T | grep -q idle"
sinfo

step "Copy the project"
mkdir "$work/report"
tar -c --exclude=./.venv --exclude=./.git --exclude=./artifacts --exclude=./_build --exclude=./.snakemake \
    --exclude=__pycache__ . | tar -x -C "$work/report"
cd "$work/report"
export PYTHONPATH=$work/report PATH=$work/bin:$project/.venv/bin:$PATH
unset CRACK_UTILS_ARTIFACTS

# The profile as it is, but for what one small node without accounting needs: state by squeue, looked up often, little
# memory and one processor a training, so that two run side by side.
trainings() {
    snakemake trainings --workflow-profile cluster/slurm --slurm-status-command squeue \
        --slurm-init-seconds-before-status-checks 5 --retries 0 --set-threads train=1 \
        --config preset=smoke losses="$(IFS=,; echo "${losses[*]}")" seeds="$(IFS=,; echo "${seeds[*]}")" "$@"
}

step "Train ${losses[*]} with seeds ${seeds[*]} as jobs of Slurm"
trainings 2>&1 | tee "$work/first.txt"

step "What Slurm did"
squeue --states=all --format '%.6i %.10T %.20S %.10M %.4C %k'
cut -c-200 "$work/jobs.txt"

expected=$((${#losses[@]} * ${#seeds[@]}))
squeue --states=all --noheader --format '%T %k' >"$work/states.txt"
count=$(grep -c 'rule_train_' "$work/states.txt" || true)
[ "$count" -eq "$expected" ] || fail "$count training jobs in Slurm's queue instead of $expected"
if grep -v '^COMPLETED ' "$work/states.txt"; then fail "not all jobs have completed"; fi
[ "$(grep -c '^JobId=' "$work/jobs.txt")" -eq "$(wc -l <"$work/states.txt")" ] || fail "jobs in the queue and in jobs.txt differ"
for loss in "${losses[@]}"; do
    for seed in "${seeds[@]}"; do
        # Seed 0 is the notebook's own and leaves no trace in the name.
        name=train_${loss}_smoke$([ "$seed" -eq 0 ] || echo "_seed$seed")
        [ -s "artifacts/executed/$name.ipynb" ] || fail "artifacts/executed/$name.ipynb is missing"
        grep -q "rule_train_wildcards_$name\$" "$work/states.txt" || fail "$name was no job of its own"
    done
done
finished=$(find artifacts/runs -name provenance.json | wc -l)
[ "$finished" -eq "$expected" ] || fail "$finished finished runs instead of $expected"

step "Ask again"
trainings 2>&1 | tee "$work/second.txt"
grep -q 'Nothing to be done' "$work/second.txt" || fail "the second call was not told that all is done"
[ "$(squeue --states=all --noheader | wc -l)" -eq "$(wc -l <"$work/states.txt")" ] || fail "the second call submitted jobs"

step "All is well: $expected trainings, each a job of Slurm, and nothing the second time"
