"""TF_CONFIG: the processes of a run on several workers, and which of them this one is."""

import json
import os
from dataclasses import dataclass

REFUSED = (
    "Expected workers that train in step. Parameter servers let each worker train on weights that "
    "are behind, and the two players of a GAN do not stay in balance so: start all processes as "
    "workers, strategy 'multi_worker'."
)
JOBS = ("chief", "worker")


@dataclass(frozen=True)
class Cluster:
    """The processes that train together.

    Args:
        jobs: Number of processes by job: `"chief"`, `"worker"`.
        addresses: `host:port` of each, the chief first.
        job: This process's.
        index: Its number within the job.
    """

    jobs: dict[str, int]
    addresses: tuple[str, ...] = ()
    job: str = "worker"
    index: int = 0

    @property
    def count(self) -> int:
        """Number of processes; 0 where there is no TF_CONFIG."""
        return sum(self.jobs.values())

    @property
    def leader(self) -> str:
        """The job whose first process is the chief."""
        return "chief" if "chief" in self.jobs else "worker"

    @property
    def chief(self) -> bool:
        """Whether this process is the chief, as a process on its own is."""
        return not self.count or (self.job == self.leader and self.index == 0)


def cluster() -> Cluster:
    """Returns what TF_CONFIG says; no processes where it is not set or names no cluster.

    Raises:
        ValueError: If it is no JSON of a cluster, names parameter servers or other jobs, or does
            not say which process this is.
    """
    text = os.environ.get("TF_CONFIG") or "{}"
    try:
        told = json.loads(text)
        named = dict(told.get("cluster", {}))
        task = dict(told.get("task", {}))
        jobs = {job: len([str(one) for one in _list(hosts)]) for job, hosts in named.items()}
    except (ValueError, AttributeError, TypeError):
        raise ValueError(
            'Expected TF_CONFIG as TensorFlow\'s guides have it: {"cluster": {"worker": '
            f'["host:port", ...]}}, "task": {{"type": "worker", "index": 0}}}}. '
            f"Received: {text}"
        ) from None
    if "ps" in jobs:
        raise ValueError(f'{REFUSED} Received: TF_CONFIG with {jobs["ps"]} of "ps".')
    if others := sorted({*jobs} - {*JOBS}):
        raise ValueError(
            f'Expected the jobs "chief" and "worker" in TF_CONFIG. Received: {others[0]!r}; '
            "evaluate finished runs with `ganzoo evaluate`."
        )
    jobs = {job: jobs[job] for job in JOBS if jobs.get(job)}
    if not jobs:
        return Cluster({})
    job, index = task.get("type"), task.get("index")
    if job not in jobs or not isinstance(index, int) or not 0 <= index < jobs[job]:
        raise ValueError(
            f"Expected TF_CONFIG's task to be one of its cluster, {jobs}. Received: {task}."
        )
    addresses = tuple(host for name in jobs for host in named[name])
    return Cluster(jobs, addresses, job, index)


def _list(hosts: object) -> list:
    if not isinstance(hosts, list):
        raise TypeError(hosts)
    return hosts
