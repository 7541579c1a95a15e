"""Identity out, science kept: DICOM, NIfTI, pictures and tables without what names a person."""

from prognoscope.deidentify.dataset import deidentify_dataset
from prognoscope.deidentify.identity import Identity, gather, merged
from prognoscope.deidentify.keys import create_key, fingerprint, read_key
from prognoscope.deidentify.profile import PROFILES, Options, ProfileName, standard
from prognoscope.deidentify.project import Project
from prognoscope.deidentify.pseudonyms import PseudonymTable, load_table, save_table

__all__ = [
    "PROFILES",
    "Identity",
    "Options",
    "ProfileName",
    "Project",
    "PseudonymTable",
    "create_key",
    "deidentify_dataset",
    "fingerprint",
    "gather",
    "load_table",
    "merged",
    "read_key",
    "save_table",
    "standard",
]
