"""SOP classes: what kind of object a DICOM file is (PS3.4 B.5, PS3.6 table A-1)."""

from __future__ import annotations

# SOP class → the modality that its images must state (PS3.3 C.7.3.1.1.1).
VOLUME_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.2": "CT",
    "1.2.840.10008.5.1.4.1.1.2.1": "CT",
    "1.2.840.10008.5.1.4.1.1.2.2": "CT",
    "1.2.840.10008.5.1.4.1.1.4": "MR",
    "1.2.840.10008.5.1.4.1.1.4.1": "MR",
    "1.2.840.10008.5.1.4.1.1.4.4": "MR",
    "1.2.840.10008.5.1.4.1.1.128": "PT",
    "1.2.840.10008.5.1.4.1.1.130": "PT",
    "1.2.840.10008.5.1.4.1.1.128.1": "PT",
}
OTHER_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.7": "secondary capture",
    "1.2.840.10008.5.1.4.1.1.88.67": "radiation dose report",
    "1.2.840.10008.5.1.4.1.1.481.2": "dose distribution",
    "1.2.840.10008.5.1.4.1.1.481.5": "treatment plan",
    "1.2.840.10008.5.1.4.1.1.66.1": "spatial registration",
    "1.2.840.10008.5.1.4.1.1.1": "radiograph",
    "1.2.840.10008.5.1.4.1.1.1.1": "radiograph",
}
RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
SEGMENTATIONS = frozenset({"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"})
