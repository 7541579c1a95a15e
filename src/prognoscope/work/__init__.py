"""The same map over patients, in this process, in local processes or on a cluster."""

from prognoscope.work.cluster import cluster_map
from prognoscope.work.local import local_map

__all__ = ["cluster_map", "local_map"]
