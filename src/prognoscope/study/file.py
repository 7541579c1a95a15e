"""The study file: what a study asks, of whom, from what, and how it is checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag, ValidationError, field_validator

from prognoscope.cohort import INDEX, BinaryOutcome, ClinicalPredictor, Filter, SurvivalOutcome
from prognoscope.core.measures import Measure
from prognoscope.core.outcome import OutcomeKind
from prognoscope.core.problems import Problem, refuse
from prognoscope.core.settings import Settings, unknown_word
from prognoscope.study.appraisal import (
    Criterion,
    Decision,
    HeldOut,
    Validation,
    as_used,
    clashes,
    held_out,
    unknown_metrics,
)
from prognoscope.study.data import PIVOTED, Data, Names, external_places, records_place
from prognoscope.study.imaging import ImagingPredictor, Measurement, Offers, named
from prognoscope.study.offers import measures, models
from prognoscope.study.yaml import Document, Location, expand, problems_of, read_document, refuse_all
from prognoscope.training import Candidate, Model, Recalibration


def _keys(value: Any) -> Collection[str]:
    return value if isinstance(value, Mapping) else getattr(value, "__dict__", ())


def _kind_of_predictor(value: Any) -> str:
    return "image" if "image" in _keys(value) else "clinical"


def _kind_of_outcome(value: Any) -> str:
    return "time-to-event" if {"time", "horizon"} & set(_keys(value)) else "binary"


Predictor = Annotated[
    Annotated[ImagingPredictor, Tag("image")] | Annotated[ClinicalPredictor, Tag("clinical")],
    Discriminator(_kind_of_predictor),
]
OutcomeRule = Annotated[
    Annotated[SurvivalOutcome, Tag("time-to-event")] | Annotated[BinaryOutcome, Tag("binary")],
    Discriminator(_kind_of_outcome),
]


class Models(Settings):
    """Which models are tried and how the main one is chosen."""

    try_: Offers = Field(
        {}, alias="try", description="models by name, each with its own settings; all that fit by default"
    )
    choose: str = Field(
        "inner", description="`inner`: the inner folds choose among all that are tried; or the name of one of them"
    )
    recalibrate: Recalibration = Field(
        "none", description="how risks are recalibrated by inner out-of-fold risks, inside every fold and refit"
    )


class Study(Settings):
    """A study: question, data, participants, outcome, predictors, models and validation."""

    question: str = Field(min_length=1, description="the clinical question in one sentence")
    name: str = Field(
        "",
        description="name of the study and of the folder of its results; the file's name by default",
    )
    data: Data = Field(description="where images and table lie")
    time_zero: Names = Field(
        (),
        description="columns that lead from the table's day 0 to the day the last predictor is known, each counted "
        "from the one before; outcome times are counted from it",
    )
    eligible: tuple[Filter, ...] = Field((), description="rules that every participant fulfils")
    outcome: OutcomeRule = Field(description="binary (`column`, `event`) or time to event (`time`, `event`, `horizon`)")
    predictors: tuple[Predictor, ...] = Field(min_length=1, description="clinical columns and image measurements")
    models: Models = Field(Models(), description="models to try")
    validation: Validation = Field(Validation(), alias="validate", description="how performance is estimated")
    decision: Decision = Field(Decision(), description="costs, thresholds and prevalence of the clinic")
    success: tuple[Criterion, ...] = Field((), description="what counts as success, fixed before the first result")
    seed: int = Field(1, ge=0, le=2**31 - 1, description="seed of every random step")

    @field_validator("name")
    @classmethod
    def _names_a_folder(cls, name: str) -> str:
        if name.startswith(".") or set(name) & set("/\\\0"):
            raise ValueError("it becomes the name of a folder: no slash, and no dot at its beginning")
        return name

    @property
    def clinical(self) -> tuple[ClinicalPredictor, ...]:
        """Predictors that are columns of the table."""
        return tuple(entry for entry in self.predictors if isinstance(entry, ClinicalPredictor))

    @property
    def imaging(self) -> tuple[ImagingPredictor, ...]:
        """Predictors that are measured in images."""
        return tuple(entry for entry in self.predictors if isinstance(entry, ImagingPredictor))

    @property
    def outcome_columns(self) -> frozenset[str]:
        """Columns of the table that the outcome is read from."""
        rule = self.outcome
        if isinstance(rule, SurvivalOutcome):
            return frozenset({rule.time, rule.event.column})
        return frozenset({rule.column, rule.day, rule.follow_up} - {""})

    @property
    def zero_columns(self) -> tuple[str, ...]:
        """Columns that lead to time zero; the first is of the records where these have a day 0 of their own."""
        return ((INDEX,) if self.data.records else ()) + self.time_zero

    @property
    def kind(self) -> OutcomeKind:
        """Kind of the outcome."""
        return "time-to-event" if isinstance(self.outcome, SurvivalOutcome) else "binary"


@dataclass(frozen=True, slots=True)
class StudyFile:
    """A study file that has been checked as a whole: nothing in it can be refused later for its form.

    Attributes
    ----------
    path
        The file.
    study
        Its values, defaults filled in.
    images, table, external_images, external_table, records
        Absolute paths, None where the file names none; the external ones are of a second source that is kept apart.
    measurements
        What is measured, in the order of the file.
    candidates
        Models that are tried.
    held_out
        How patients are held out.
    """

    path: Path
    study: Study
    images: Path | None
    table: Path
    measurements: tuple[Measurement, ...]
    candidates: tuple[Candidate, ...]
    held_out: HeldOut
    external_images: Path | None = None
    external_table: Path | None = None
    records: Path | None = None

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.study.name or self.path.stem

    def as_used(self) -> dict[str, Any]:
        """Return every setting with its default written out, in the form of the file."""
        values: dict[str, Any] = self.study.model_dump(mode="json", by_alias=True)
        for entry, predictor in zip(values["predictors"], self.study.predictors, strict=True):
            if isinstance(predictor, ImagingPredictor):
                entry["measure"] = {
                    found.measure.name: found.settings.model_dump(mode="json", by_alias=True)
                    for found in self.measurements
                    if found.predictor is predictor
                }
        values["models"]["try"] = {
            candidate.model.name: candidate.settings.model_dump(mode="json", by_alias=True)
            for candidate in self.candidates
        }
        as_used(self.held_out, values["validate"])
        return values


def read_study(path: Path) -> StudyFile:
    """Read and check a whole study file before any work starts.

    Raises
    ------
    Refused
        `study-file` with the line of every mistake (unknown keys with the nearest known one), `study-file-missing`,
        `variable-unset`, `known-too-late`.
    """
    document = read_document(path)
    try:
        study = Study.model_validate(document.values)
    except ValidationError as error:
        raise refuse_all([*problems_of(error, document), *_unknown_offers(document)]) from None
    problems: list[Problem] = []
    measurements = _measurements(study, document, problems)
    candidates = _candidates(study, document, problems)
    plan = held_out(study.validation, candidates, document, problems, apart=study.data.external)
    problems += _contradictions(study, document)
    if problems or plan is None:
        raise refuse_all(problems)
    folder = path.resolve().parent
    images = expand(study.data.images, document=document, location=("data", "images"))
    table = expand(study.data.table, document=document, location=("data", "table"))
    elsewhere = external_places(study.data.external, folder, document)
    records = records_place(study.data.records, folder, document)
    return StudyFile(
        path=path,
        study=study,
        images=(folder / images) if images else None,
        table=folder / (table or PIVOTED),
        measurements=measurements,
        candidates=candidates,
        held_out=plan,
        external_images=elsewhere.get("images"),
        external_table=elsewhere.get("table"),
        records=records,
    )


def measurements_of(study: Study) -> tuple[Measurement, ...]:
    """Return the measurements of a study that has been checked before (a bundle's).

    Raises
    ------
    Refused
        `measure-missing` when a measure came from a package that is not installed here.
    """
    offers = {measure.name: measure for measure in measures()}
    found = []
    for predictor in study.imaging:
        for name, values in predictor.measure.items():
            if name not in offers:
                raise refuse(
                    "measure-missing",
                    subject=f"measure {name}",
                    found=f"nothing of that name is installed; there are: {', '.join(offers)}",
                    remedy="install the package that brought it",
                )
            found.append(Measurement(predictor, offers[name], offers[name].settings.model_validate(values or {})))
    return tuple(found)


def _measurements(study: Study, document: Document, problems: list[Problem]) -> tuple[Measurement, ...]:
    offers = {measure.name: measure for measure in measures()}
    found = []
    for position, predictor in enumerate(study.predictors):
        if not isinstance(predictor, ImagingPredictor):
            continue
        for name, values in predictor.measure.items():
            location = ("predictors", position, "measure", name)
            settings = _settings("measure", name, offers, values or {}, document, location, problems)
            if settings is not None:
                found.append(Measurement(predictor, offers[name], settings))
    return tuple(found)


def _candidates(study: Study, document: Document, problems: list[Problem]) -> tuple[Candidate, ...]:
    offers: dict[str, Model] = {model.name: model for model in models()}
    serving = [name for name, model in offers.items() if study.kind in model.serves]
    wanted = study.models.try_ or dict.fromkeys(serving)
    found = []
    for name, values in wanted.items():
        location = ("models", "try", name)
        settings = _settings("model", name, offers, values or {}, document, location, problems)
        if settings is None:
            continue
        if name not in serving:
            text = f"{name} does not serve a {study.kind} outcome; these do: {', '.join(serving)}"
            problems.append(document.problem(location, text))
        found.append(Candidate(offers[name], settings))
    if study.models.choose not in ("inner", *wanted):
        near = unknown_word("choice", study.models.choose, ("inner", *wanted))
        problems.append(document.problem(("models", "choose"), str(near.message())))
    if study.models.choose in wanted:
        found = [candidate for candidate in found if candidate.model.name == study.models.choose]
    return tuple(found)


def _unknown_offers(document: Document) -> list[Problem]:
    """Return the unknown models and measures of a file whose form is wrong elsewhere, so that all is told at once."""
    places: list[tuple[Location, str, tuple[str, ...]]] = [
        (("models", "try"), "model", tuple(model.name for model in models()))
    ]
    known = tuple(measure.name for measure in measures())
    predictors = document.values.get("predictors")
    numbers = range(len(predictors)) if isinstance(predictors, list) else range(0)
    places += [(("predictors", number, "measure"), "measure", known) for number in numbers]
    problems = []
    for location, what, words in places:
        steps, _, node = document.path_to(location)
        offered = named(node) if steps == location else None
        names = offered if isinstance(offered, Mapping) else ()
        unknown = [str(name) for name in names if name not in words]
        problems += [
            document.problem((*location, name), str(unknown_word(what, name, words).message())) for name in unknown
        ]
    return problems


def _settings(
    what: str,
    name: str,
    offers: Mapping[str, Measure | Model],
    values: Mapping[str, Any],
    document: Document,
    location: Location,
    problems: list[Problem],
) -> Settings | None:
    if name not in offers:
        problems.append(document.problem(location, str(unknown_word(what, name, offers).message())))
        return None
    try:
        return offers[name].settings.model_validate(values)
    except ValidationError as error:
        problems.extend(problems_of(error, document, location))
        return None


def _known_later(predictor: ClinicalPredictor, data: Data) -> bool:
    rule = data.records.named(predictor.column) if data.records else None
    return predictor.known_at == "later" or (rule is not None and rule.when == "after")


def _contradictions(study: Study, document: Document) -> list[Problem]:
    problems = []
    names: list[str] = []
    for position, predictor in enumerate(study.predictors):
        name = predictor.result_name
        if name in names:
            text = f"two predictors are named {name}; give one of them another `name:`"
            problems.append(document.problem(("predictors", position), text))
        names.append(name)
        if isinstance(predictor, ClinicalPredictor) and predictor.column in study.outcome_columns:
            text = f"{predictor.column} tells the outcome, so it cannot predict it; remove it from `predictors:`"
            problems.append(document.problem(("predictors", position, "column"), text))
        if isinstance(predictor, ClinicalPredictor) and predictor.column == study.data.patient:
            text = f"{predictor.column} names the patients, so it cannot predict; remove it from `predictors:`"
            problems.append(document.problem(("predictors", position, "column"), text))
        if isinstance(predictor, ClinicalPredictor) and _known_later(predictor, study.data):
            text = f"{predictor.column} is known only after time zero, so no prediction can use it"
            place = document.problem(("predictors", position, "known_at"), text)
            problems.append(Problem("known-too-late", place.subject, place.found, "remove it from `predictors:`"))
    problems += unknown_metrics(study.kind, study.success, document)
    if text := study.data.contradiction(images_needed=bool(study.imaging)):
        problems.append(document.problem(("data",), text))
    problems += clashes(study.kind, study.models.recalibrate, study.validation, study.decision, document)
    return problems
