#!/bin/sh
#SBATCH --array=0-99 --time=04:00:00 --mem=2G --signal=TERM@120
# Slurm: 100 jobs with a file each, 1000 events per file. Submit with  sbatch examples/array.sh FOLDER
# where FOLDER has part0.hepmc.gz to part99.hepmc.gz, and put the results together afterwards:
#     sqlamarr merge part*.db -o all.db
# A job that ran out of time goes on where it stopped when it is submitted again.
n=${SLURM_ARRAY_TASK_ID:-0}
exec sqlamarr run lhcb_run2 "$1/part$n.hepmc.gz" -o "part$n.db" --seed 1 --first-event $((n * 1000)) \
    --scratch "${TMPDIR:-/tmp}" --resume
