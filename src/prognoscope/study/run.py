"""Run a study: alone knows the order of its stages, and decides which must run."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from prognoscope.core import hashing
from prognoscope.core.flow import Flow
from prognoscope.core.problems import Problem, Refused
from prognoscope.core.table import Table, join
from prognoscope.core.work import Mapper, serial_map
from prognoscope.store import Store, write_whole
from prognoscope.study.cache import Cache, Outputs
from prognoscope.study.file import StudyFile, read_study
from prognoscope.study.outputs import library_versions, make_folder, run_record, write_outputs
from prognoscope.study.stages.gather import Gathered, beside, gather
from prognoscope.study.stages.learn import fit_bundle, learn
from prognoscope.study.stages.measure import Measured, measure
from prognoscope.study.stages.rate import rate
from prognoscope.study.stages.select import Cohort, require_columns, select
from prognoscope.study.stages.split import Split, split
from prognoscope.study.stages.stored import gather_stored, tables_of
from prognoscope.study.stages.tally import SETTINGS, count
from prognoscope.study.worked import Worked
from prognoscope.training import Ratings

if TYPE_CHECKING:
    from prognoscope.report import Truth
    from prognoscope.validation import LearningCurve

PUBLISH_VERSION = 7  # raised when what `conclude` writes may change
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class RunResult:
    """What a run left behind.

    Attributes
    ----------
    out
        Folder with `report.html`, `evaluation.json`, `predictions.csv`, `features.parquet`, `run.json` and `bundle/`.
    evaluation
        The document `evaluation.json`.
    flow
        Who took part and who did not.
    notes
        Problems that excluded nobody.
    blocked
        Why there is no bundle; empty when there is one.
    seconds
        By stage.
    truth
        Of a generated cohort: metric and the best that can be reached.
    """

    out: Path
    evaluation: Mapping[str, Any]
    flow: Flow
    notes: tuple[Problem, ...]
    blocked: str
    seconds: Mapping[str, float]
    truth: Truth | None = None


@dataclass(slots=True)
class Clock:
    """Seconds by stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage."""
        began = time.perf_counter()
        yield
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.perf_counter() - began, 3)


def run_study(
    study: str | Path,
    *,
    out: str | Path | None = None,
    store: str | Path | None = None,
    mapper: Mapper = serial_map,
    verify: bool = False,
    truth: Truth | None = None,
    arguments: Mapping[str, object] | None = None,
) -> RunResult:
    """Answer a study's question.

    Parameters
    ----------
    study
        The study file.
    out
        Folder for the results; `results/NAME` by default.
    store
        Folder of the store; `.prognoscope` beside the study file by default.
    mapper
        Where the heavy maps run.
    verify
        Hash every file again instead of trusting size and time.
    truth
        Of a generated cohort, for the report.
    arguments
        Of the caller, for `run.json`; by default what this function was given.

    Raises
    ------
    Refused
        Whatever stops the study; nothing that was computed is lost.
    """
    file = read_study(Path(study))
    target = Path(out) if out is not None else Path("results") / file.name
    folder = Path(store) if store is not None else file.path.resolve().parent / ".prognoscope"
    clock = Clock()
    versions = library_versions()
    told = dict(arguments or {"study": study, "out": out, "store": store, "verify": verify})
    places = {"study": file.path, "out": target, "store": folder}
    given = {"given": _plain(told), "used": _plain(told | places)}
    make_folder(target)
    opened = Store(folder)
    try:
        cache = Cache(opened, versions["prognoscope"])
        return _run(file, target, cache, mapper, clock, versions, given, verify=verify, truth=truth)
    finally:
        opened.close()


def _run(
    file: StudyFile,
    out: Path,
    cache: Cache,
    mapper: Mapper,
    clock: Clock,
    versions: Mapping[str, str],
    arguments: Mapping[str, object],
    *,
    verify: bool,
    truth: Truth | None,
) -> RunResult:
    with clock.stage("gather"):
        if not file.study.data.from_store and file.study.data.records is None:
            for path in filter(None, (file.table, file.external_table)):
                require_columns(file.study, path)
        gathered = _gather(file, cache, mapper, verify=verify)
    with clock.stage("select"), tables_of(file, gathered, cache.store) as tables:
        index, members = (gathered.index, gathered.members) if gathered else (None, None)
        cohort = select(file.study, tables.own, index, external=tables.external, members=members)
    with clock.stage("measure"):
        cohort, measured = _measure(file, cohort, gathered, cache, mapper)
        ratings, unrated = _rate(file, cohort, gathered, cache, mapper)
    predictors = join([cohort.clinical, measured.table]) if measured else cohort.clinical
    _trace(cohort, predictors, gathered, cache)
    fixed_on = _fix_success(file, cohort, cache)
    with clock.stage("learn"), _telling_who_is_left(cohort.flow):
        folds = split(cohort, file, cache=cache)
        learnt = learn(predictors, cohort.outcome, file, folds, cache=cache, mapper=mapper, ratings=ratings)
        prints = measured.fingerprints if measured else {}
        tally = count(cohort, file, learnt, folds, fingerprints=prints, store=cache.store)
        learning = _learning_curve(predictors, cohort, file, folds, cache, mapper, ratings)
        bundle = fit_bundle(predictors, cohort.outcome, file, folds, cache=cache, mapper=mapper, ratings=ratings)
    notes = (
        *(gathered.notes if gathered else ()),
        *tables.notes,
        *cohort.flow.notes,
        *unrated,
        *_notes_on_files(gathered),
    )
    with clock.stage("evaluate and publish"):
        worked = Worked(
            file, cohort, predictors, measured, ratings, folds, learnt, learning, bundle, versions,
            snapshot=_snapshot_id(gathered), notes=notes, fixed_on=fixed_on, tally=tally, truth=truth,
        )  # fmt: skip
        outputs = _publish(worked, cache)
        evaluation = json.loads(outputs["evaluation.json"])
        write_outputs(out, {name: outputs[name] for name in outputs.names})
    write_whole(out / "run.json", run_record(file, cohort, gathered, outputs, clock.seconds, versions, arguments))
    told = (*(gathered.news if gathered else ()), *notes)
    return RunResult(out, evaluation, cohort.flow, told, evaluation["bundle_blocked"], clock.seconds, truth)


def _gather(file: StudyFile, cache: Cache, mapper: Mapper, *, verify: bool) -> Gathered | None:
    if file.study.data.from_store:
        return gather_stored(file, store=cache.store, mapper=mapper, verify=verify)
    if file.images is None:
        return None
    own = gather(file.images, cache=cache, mapper=mapper, verify=verify)
    if file.external_images is None:
        return own
    return beside(own, gather(file.external_images, cache=cache, mapper=mapper, verify=verify))


def _snapshot_id(gathered: Gathered | None) -> str:
    return gathered.snapshot.id if gathered and gathered.snapshot else ""


def _measure(
    file: StudyFile, cohort: Cohort, gathered: Gathered | None, cache: Cache, mapper: Mapper
) -> tuple[Cohort, Measured | None]:
    if gathered is None or not file.measurements:
        return cohort, None
    measured = measure(gathered.root, cohort.patients, cohort.choices, file.measurements, cache=cache, mapper=mapper)
    return cohort.without(measured.exclusions), measured


def _rate(
    file: StudyFile, cohort: Cohort, gathered: Gathered | None, cache: Cache, mapper: Mapper
) -> tuple[tuple[Ratings, ...], tuple[Problem, ...]]:
    if gathered is None:
        return (), ()
    return rate(
        gathered.root,
        cohort.patients,
        cohort.choices,
        file.measurements,
        seed=file.study.seed,
        cache=cache,
        mapper=mapper,
    )


def _trace(cohort: Cohort, predictors: Table, gathered: Gathered | None, cache: Cache) -> None:
    """Note which files the predictors were made from, so that `history` leads from a prediction to its images."""
    snapshot = {"snapshot": [one]} if (one := _snapshot_id(gathered)) else {}
    files = {
        f"patient {patient}": [name for one in choices for name in (*one.series.hashes, one.region_set.hash)]
        for patient, choices in cohort.choices.items()
    }
    tables = {"table": list(filter(None, (cohort.table_hash, cohort.external_hash)))}
    cache.store.trace(hashing.of_frame(predictors.frame), {**tables, **snapshot, **files})


def _learning_curve(
    predictors: Table,
    cohort: Cohort,
    file: StudyFile,
    folds: Split,
    cache: Cache,
    mapper: Mapper,
    ratings: Sequence[Ratings],
) -> LearningCurve | None:
    if not file.study.validation.learning_curve:
        return None
    from prognoscope.study.stages.enough import learning_curve

    return learning_curve(predictors, cohort.outcome, file, folds, cache=cache, mapper=mapper, ratings=ratings)


def _fix_success(file: StudyFile, cohort: Cohort, cache: Cache) -> str:
    """Note the criteria of success before the first result, and return when and as what they were first noted."""
    if not file.study.success:
        return ""
    key = hashing.of_value(list(file.study.success))
    snapshot = cohort.snapshot()
    if cache.store.first_counted(snapshot, f"success {key}") is None:
        cache.store.count(snapshot, f"success {key}", key, 1)
    first = cache.store.first_counted(snapshot, f"success {key}")
    before = cache.store.first_counted(snapshot, SETTINGS)
    when = f"recorded on {first:%Y-%m-%d} as {key[:12]}" if first else ""
    late = before is not None and first is not None and before < first
    return when + (", after a first result on this cohort was known" if late else ", before the first result")


def _publish(run: Worked, cache: Cache) -> Outputs:
    def compute() -> dict[str, bytes]:
        # With the validation and the report behind it, which a run that finds everything known does not wait for.
        from prognoscope.study.conclude import conclude

        return conclude(run)

    used = run.file.as_used()
    # Where the data lie changes nothing in the results.
    used["data"] |= {"images": "", "table": "", "query": None, "snapshot": "", "external": None}
    if used["data"]["records"]:
        used["data"]["records"] |= {"from": ""}
    circumstances = [run.snapshot, run.fixed_on, repr(run.tally), repr(run.truth), [repr(note) for note in run.notes]]
    inputs = {one.name: one.hash for one in run.learnt} | {
        "bundle": hashing.of_value(dict(run.bundle.names)),
        "flow": hashing.of_value([repr(run.cohort.flow)]),
        "predictors": hashing.of_frame(run.predictors.frame),
        **({"ratings": hashing.of_value([one.hash() for one in run.ratings])} if run.ratings else {}),
        "circumstances": hashing.of_frame(run.cohort.circumstances),
        "attributes": hashing.of_frame(run.cohort.attributes),
        "folds": run.folds.hash,
        "learning curve": hashing.of_value(repr(run.learning)),
        "versions": hashing.of_value(dict(run.versions)),
    }
    settings = [used, run.file.name, *circumstances]
    return cache.stage("publish", version=PUBLISH_VERSION, settings=settings, inputs=inputs, compute=compute)


def _notes_on_files(gathered: Gathered | None) -> tuple[Problem, ...]:
    """Return each kind of note on a file once, with the number of files; then what was left aside, by kind."""
    if gathered is None:
        return ()
    kinds: dict[tuple[str, str], list[Problem]] = {}
    noted = [series.notes for series in gathered.index.series] + [one.notes for one in gathered.index.region_sets]
    for note in chain.from_iterable(noted):
        kinds.setdefault((note.code, note.found), []).append(note)
    read = [
        Problem(code, f"{len(notes)} series or region sets", found, notes[0].remedy)
        for (code, found), notes in sorted(kinds.items())
    ]
    aside: dict[str, list[Problem]] = {}
    for problem in gathered.index.set_aside:
        aside.setdefault(problem.code, []).append(problem)
    return (*read, *(_left_aside(code, problems) for code, problems in sorted(aside.items())))


def _left_aside(code: str, problems: list[Problem]) -> Problem:
    named = ", ".join(problem.subject for problem in problems[:MOST_NAMED])
    more = ", …" if len(problems) > MOST_NAMED else ""
    files = f"{len(problems)} files were left aside" if len(problems) > 1 else "a file was left aside"
    return Problem(code, files, f"{named}{more}: {problems[0].found}", problems[0].remedy)


@contextmanager
def _telling_who_is_left(flow: Flow) -> Iterator[None]:
    """Add to a refusal how many patients had been excluded before, and why: that is often its cause."""
    try:
        yield
    except Refused as refused:
        if not flow.exclusions:
            raise
        told = "; ".join(f"{number} × {code} ({step})" for step, code, number in flow.counts())
        problem = refused.problem
        found = f"{problem.found}; {len(flow.included)} participants are left, excluded were {told}"
        raise Refused(Problem(problem.code, problem.subject, found, problem.remedy)) from refused


def _plain(arguments: Mapping[str, object]) -> dict[str, object]:
    return {name: str(value) if isinstance(value, Path) else value for name, value in arguments.items()}
