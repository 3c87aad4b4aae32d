#!/bin/bash
# SPDX-License-Identifier: BSL-1.0
#
# A training job for Slurm: sbatch docs/deploy/slurm.sh ./train /data/fashion-mnist 20
# One rank per socket, its cores for that rank's threads (Mpi::threads()). The program is linked with tenon::mpi.
#SBATCH --job-name=tenon
#SBATCH --nodes=2
#SBATCH --ntasks-per-socket=1
#SBATCH --ntasks-per-node=2
#SBATCH --cpus-per-task=16
#SBATCH --time=04:00:00
#SBATCH --output=%x-%j.log
# The scheduler may take the nodes away and start the job again: its checkpoint goes on where it was.
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail

if [ $# -eq 0 ]; then
    echo "usage: sbatch $0 <program> [arguments]" >&2
    exit 2
fi

# One rank that dies ends the job at once, not only its own step.
# --mpi=pmix where Open MPI was built with PMIx (Debian's is); `srun --mpi=list` shows what there is.
exec srun --mpi=pmix --kill-on-bad-exit=1 --cpu-bind=cores --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" "$@"
