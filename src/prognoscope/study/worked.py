"""All that a run has come to before it concludes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from prognoscope.core.problems import Problem
from prognoscope.core.table import Table
from prognoscope.study.cache import Outputs
from prognoscope.study.file import StudyFile
from prognoscope.study.stages.learn import Learnt
from prognoscope.study.stages.measure import Measured
from prognoscope.study.stages.select import Cohort
from prognoscope.study.stages.split import Split
from prognoscope.study.stages.tally import Tally
from prognoscope.training import Ratings

if TYPE_CHECKING:  # imported when something is to be computed
    from prognoscope.report import Truth
    from prognoscope.validation import LearningCurve


@dataclass(frozen=True, slots=True, eq=False)
class Worked:
    """What the stages gave.

    Attributes
    ----------
    measured
        None in a study without images.
    ratings
        Features on perturbed contours, where the study file asks for them.
    learnt
        By set of predictors, the main one first.
    learning
        None where the study file does not ask for it.
    bundle
        Files of the predictor.
    snapshot
        Hash of the snapshot of the store that was read; empty for a folder.
    fixed_on
        When and as what the criteria of success were first noted.
    truth
        Of a generated cohort.
    """

    file: StudyFile
    cohort: Cohort
    predictors: Table
    measured: Measured | None
    ratings: tuple[Ratings, ...]
    folds: Split
    learnt: tuple[Learnt, ...]
    learning: LearningCurve | None
    bundle: Outputs
    versions: Mapping[str, str]
    snapshot: str
    notes: tuple[Problem, ...]
    fixed_on: str
    tally: Tally
    truth: Truth | None
