"""Where the data of a study lie: a folder, or a snapshot of the store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator

from prognoscope.cohort import Records
from prognoscope.core.settings import Settings
from prognoscope.study.yaml import Document, expand

PIVOTED = "records.csv"  # what a table is called that is made of records alone
STORED = "store:"  # begins the name of a table that lies in the store
SOURCE = "data source"  # column that tells the patients of a second source from the others
OWN = "development"


def _one_or_more(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _texts(value: Any) -> Any:
    """Let a number stand for its text: `[-9]` is `["-9"]`."""
    several = value if isinstance(value, list | tuple) else (value,)
    return tuple(str(one) if isinstance(one, int | float) and not isinstance(one, bool) else one for one in several)


Names = Annotated[tuple[str, ...], BeforeValidator(_one_or_more)]
Texts = Annotated[tuple[str, ...], BeforeValidator(_texts)]


class EachRow(Settings):
    """A table without patient IDs: each row is a patient of its own, called `TABLE:LINE`."""

    each: Literal["row"] = Field(description="`row`")


class External(Settings):
    """A second source that is kept apart: nothing is learnt from it, and every result that it gives is counted."""

    name: str = Field(
        "external", min_length=1, description="what it is called in the report: a hospital, a trial, a later year"
    )
    table: str = Field(description="its table, with the columns of the study's; `store:NAME` for one of the store")
    images: str = Field("", description="folder with its images; a study of the store finds them by its `query:`")

    @field_validator("name")
    @classmethod
    def _told_apart(cls, name: str) -> str:
        if name == OWN:
            raise ValueError(f"{OWN} is what the other patients are called")
        return name


class Data(Settings):
    """Where the data lie. Paths are relative to the study file; `${NAME}` stands for an environment variable."""

    images: str = Field(
        "",
        description="folder with the images (DICOM, any nesting); beside `query:` it is first taken into the store",
    )
    query: str | None = Field(
        None,
        description='which series of the store to study (`modality = PT and roi ~ GTV*`; `""` for all), frozen by the '
        "first run",
    )
    snapshot: str = Field(
        "", description="name of the snapshot of the store that is studied; with `query:` the study's name by default"
    )
    table: str = Field(
        "",
        description="table with one row per patient: CSV, XLSX or Parquet; `store:NAME` for one of the store; required "
        "without `records:`",
    )
    records: Records | None = Field(
        None, description="columns made from FHIR records, beside those of the table or in place of a table"
    )
    patient: str | EachRow = Field(
        "patient_id",
        description="column of the table that holds the DICOM PatientID; `{each: row}` for a table without IDs",
    )
    missing: Texts = Field((), description="texts or numbers that mean unknown, besides the empty cell")
    centre: str = Field(
        "centre", description="column with the institution, if there is one: for guards, never a predictor"
    )
    scanner: str = Field("scanner", description="column with the scanner, if there is one")
    external: External | None = Field(
        None, description="a second source on which the predictor is tested and from which nothing is learnt"
    )

    @property
    def from_store(self) -> bool:
        """Whether the study works on a snapshot of the store."""
        return self.query is not None or bool(self.snapshot)

    def contradiction(self, *, images_needed: bool) -> str:
        """Say what in these keys does not go together; empty when all does."""
        if self.records is None and not self.table:
            return "the study needs a `table:`, or `records:` to make one from"
        if isinstance(self.patient, EachRow) and (self.images or self.from_store or self.records):
            joined = "images and records are joined to the table by the patients' IDs"
            return f"{joined}, which `patient: {{each: row}}` says it lacks"
        if images_needed and not self.images and not self.from_store:
            return "image predictors need `images:`, the folder that holds them, or a `query:` of the store"
        if self.snapshot and self.images and self.query is None:
            return "`images:` and `snapshot:` together need the `query:` that finds the images in the store"
        if self.table.startswith(STORED) and not self.from_store:
            return f"the table {self.table} lies in the store: it needs `query:` or `snapshot:` beside it"
        if found := self._records_contradiction():
            return found
        return self._external_contradiction(images_needed=images_needed) if self.external else ""

    def _records_contradiction(self) -> str:
        if self.records is None:
            return ""
        if self.records.from_ == STORED and not self.from_store:
            return "the records lie in the store: they need `query:` or `snapshot:` beside them"
        if self.records.index.column and not self.table:
            return f"the day 0 of the records is the column {self.records.index.column} of a table: it needs `table:`"
        return "a second source has a table of its own, so `external:` and `records:` exclude each other" * bool(
            self.external
        )

    def _external_contradiction(self, *, images_needed: bool) -> str:
        assert self.external is not None
        if self.from_store:
            found = "a study of the store finds the external images by its `query:`, so `external:` takes no `images:`"
            return found if self.external.images else ""
        if self.external.table.startswith(STORED):
            return f"the external table {self.external.table} lies in the store: it needs `query:` or `snapshot:`"
        if images_needed and not self.external.images:
            return "image predictors need `images:` below `external:` too, the folder with the images of these patients"
        return ""


def external_places(external: External | None, folder: Path, document: Document) -> dict[str, Path]:
    """Return the paths of a second source by key (`images`, `table`), relative ones from the study file's folder."""
    if external is None:
        return {}
    given = {key: getattr(external, key) for key in ("images", "table")}
    places = {key: expand(text, document=document, location=("data", "external", key)) for key, text in given.items()}
    return {key: folder / place for key, place in places.items() if place}


def records_place(records: Records | None, folder: Path, document: Document) -> Path | None:
    """Return the path of the records, relative ones from the study file's folder; None for those of the store."""
    if records is None or records.from_ == STORED:
        return None
    return folder / expand(records.from_, document=document, location=("data", "records", "from"))
