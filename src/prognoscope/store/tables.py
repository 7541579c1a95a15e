"""Tables as Parquet, their schema in the file's metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from io import BytesIO
from typing import TYPE_CHECKING, Any

from prognoscope.core.problems import refuse

if TYPE_CHECKING:  # imported where a table is read or written: most of what a store is asked needs none
    import pandas as pd

    from prognoscope.core.table import Table

METADATA = b"prognoscope"


def to_parquet(table: Table, **more: Any) -> bytes:
    """Return a table as Parquet; schema and `more` (plain values) are JSON under the metadata key `prognoscope`."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    described = {"schema": 1, "columns": [asdict(column) for column in table.columns], **more}
    data = pa.Table.from_pandas(table.frame, preserve_index=True)
    metadata: Mapping[bytes, bytes] = {
        **(data.schema.metadata or {}),
        METADATA: json.dumps(described, sort_keys=True).encode(),
    }
    sink = BytesIO()
    pq.write_table(data.replace_schema_metadata(dict(metadata)), sink, compression="zstd")
    return sink.getvalue()


def from_parquet(data: bytes) -> Table:
    """Read what `to_parquet` wrote.

    Raises
    ------
    Refused
        `table-without-schema` for Parquet of another origin.
    """
    import pyarrow.parquet as pq

    from prognoscope.core.table import Column, Table

    read = pq.read_table(BytesIO(data))
    described = (read.schema.metadata or {}).get(METADATA)
    if described is None:
        raise refuse(
            "table-without-schema",
            subject="Parquet table",
            found="its metadata hold no schema of Prognoscope",
            remedy="read it as a plain table",
        )
    columns = tuple(
        Column(**{**column, "levels": tuple(column["levels"])}) for column in json.loads(described)["columns"]
    )
    frame: pd.DataFrame = read.to_pandas()
    return Table(frame, columns)
