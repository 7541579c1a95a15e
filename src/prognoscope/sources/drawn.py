"""Which volume a region set was drawn on, where its series makes more than one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from prognoscope.sources.dicom import Located

Volumes = Mapping[str, frozenset[str]]  # UID of a volume → SOP instances it is made of


def sets_by_series(located: Sequence[Located]) -> dict[str, list[Located]]:
    """Series UID → the files with regions that say they were drawn on it."""
    found: dict[str, list[Located]] = defaultdict(list)
    for file in located:
        if file.instance.kind == "regions":
            for series in set(file.instance.referenced_series):
                found[series].append(file)
    return found


def volume_named(regions: Located, volumes: Volumes) -> str:
    """The one volume whose instances a region set names; empty when it names instances of none, or of several."""
    named = set(regions.instance.referenced_instances)
    hit = [uid for uid, instances in volumes.items() if instances & named]
    return hit[0] if len(hit) == 1 else ""
