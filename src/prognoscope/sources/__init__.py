"""Bytes of a format → values of `core`: DICOM series, contours and tables.

A name is imported when it is asked for: who lists a folder needs no reader of DICOM.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prognoscope.core.numbers import to_number
    from prognoscope.sources.describe import ColumnDescription, TableDescription, describe_table, without_words
    from prognoscope.sources.details import Details, read_details
    from prognoscope.sources.dicom import Inspected, Located, inspect, inspect_bytes, read_bytes
    from prognoscope.sources.files import FoundFile, Listing, list_files, list_folder
    from prognoscope.sources.folder import scan
    from prognoscope.sources.instance import Instance
    from prognoscope.sources.nifti import read_nifti, read_nifti_mask
    from prognoscope.sources.pixels import read_middle_frame, read_volume
    from prognoscope.sources.regions import matching_regions, read_mask
    from prognoscope.sources.series import assemble
    from prognoscope.sources.tables import read_table
    from prognoscope.sources.values import to_date

__all__ = [
    "ColumnDescription",
    "Details",
    "FoundFile",
    "Inspected",
    "Instance",
    "Listing",
    "Located",
    "TableDescription",
    "assemble",
    "describe_table",
    "inspect",
    "inspect_bytes",
    "list_files",
    "list_folder",
    "matching_regions",
    "read_bytes",
    "read_details",
    "read_mask",
    "read_middle_frame",
    "read_nifti",
    "read_nifti_mask",
    "read_table",
    "read_volume",
    "scan",
    "to_date",
    "to_number",
    "without_words",
]

_HOMES = {
    "prognoscope.core.numbers": ("to_number",),
    "prognoscope.sources.describe": ("ColumnDescription", "TableDescription", "describe_table", "without_words"),
    "prognoscope.sources.details": ("Details", "read_details"),
    "prognoscope.sources.dicom": ("Inspected", "Located", "inspect", "inspect_bytes", "read_bytes"),
    "prognoscope.sources.files": ("FoundFile", "Listing", "list_files", "list_folder"),
    "prognoscope.sources.folder": ("scan",),
    "prognoscope.sources.instance": ("Instance",),
    "prognoscope.sources.nifti": ("read_nifti", "read_nifti_mask"),
    "prognoscope.sources.pixels": ("read_middle_frame", "read_volume"),
    "prognoscope.sources.regions": ("matching_regions", "read_mask"),
    "prognoscope.sources.series": ("assemble",),
    "prognoscope.sources.tables": ("read_table",),
    "prognoscope.sources.values": ("to_date",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
