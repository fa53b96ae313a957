"""Simulate on a batch system: workers as jobs of HTCondor or Slurm, through dask-jobqueue.

    pip install 'sqlamarr-flashsim[dask]' dask-jobqueue
    python examples/on_cluster.py condor minbias.hepmc.gz out.db

Begun a second time after an interruption, it goes on where it stopped.
"""

from __future__ import annotations

import sys
from typing import Any

import sqlamarr

WORKERS = 20
RESOURCES = {"cores": 1, "memory": "2 GB"}  # of a worker; HTCondor wants a disk too


def make_cluster(system: str) -> Any:
    if system == "local":  # to try it out
        from distributed import LocalCluster

        return LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    from dask_jobqueue import HTCondorCluster, SLURMCluster

    if system == "condor":
        return HTCondorCluster(**RESOURCES, disk="2 GB")
    return SLURMCluster(**RESOURCES, walltime="04:00:00")


def main() -> None:
    from distributed import Client

    system, events, output = sys.argv[1:]
    with make_cluster(system) as cluster, Client(cluster) as client:
        if system != "local":
            cluster.scale(WORKERS)
        client.wait_for_workers(1)
        executor = client.get_executor()
        print(sqlamarr.run("lhcb_run2", events, output, seed=1, executor=executor, resume=True).text())


if __name__ == "__main__":
    main()
