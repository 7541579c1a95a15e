"""Bootstrap optimism, .632+ and learning curves of models with a known truth."""

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from prognoscope.core.problems import Refused
from prognoscope.validation import auc, learning_curve, optimism_corrected, plus_632


def cohort(n: Any, columns: Any, *, seed: int = 0, effect: Any = 0.6) -> Any:
    random = np.random.default_rng(seed)
    x = random.normal(size=(n, columns))
    logit = effect * x[:, : min(3, columns)].sum(axis=1) - 0.5
    return x, random.random(n) < 1 / (1 + np.exp(-logit))


def learner(x: Any, event: Any) -> Any:
    def learn(rows: Any) -> Any:
        model = LogisticRegression(C=1.0, max_iter=500).fit(x[rows], event[rows])
        return lambda test: auc(event[test], model.predict_proba(x[test])[:, 1])

    return learn


def test_optimism_is_removed_from_the_apparent_figure() -> None:
    x, event = cohort(100, 10, seed=1)
    found = optimism_corrected(learner(x, event), n=100, parameters=10, resamples=40, seed=1)
    assert found.optimism > 0
    assert found.corrected == pytest.approx(found.apparent - found.optimism)
    new_x, new_event = cohort(5000, 10, seed=2)
    model = LogisticRegression(C=1.0, max_iter=500).fit(x, event)
    truth = auc(new_event, model.predict_proba(new_x)[:, 1])
    assert abs(found.corrected - truth) < abs(found.apparent - truth)
    assert found.headline


def test_more_parameters_than_patients_are_no_headline() -> None:
    x, event = cohort(40, 60, seed=3)
    found = optimism_corrected(learner(x, event), n=40, parameters=60, resamples=5, seed=1)
    assert not found.headline
    assert "60 parameters for 40 patients" in found.reason


def test_a_model_that_memorises_is_no_headline_and_stays_too_good() -> None:
    x, event = cohort(100, 5, seed=4, effect=0.0)

    def learn(rows: Any) -> Any:
        model = KNeighborsClassifier(1).fit(x[rows], event[rows])
        return lambda test: float((model.predict(x[test]) == event[test]).mean())

    found = optimism_corrected(learn, n=100, parameters=5, resamples=20, seed=1, memorises=True)
    assert not found.headline
    assert found.corrected > 0.7  # the truth is about one half


def test_plus_632_of_a_nearest_neighbour_without_signal_is_about_one_half() -> None:
    x, event = cohort(100, 5, seed=5, effect=0.0)
    event = np.arange(100) % 2 == 0

    def losses(rows: Any) -> Any:
        return KNeighborsClassifier(1).fit(x[rows], event[rows]).predict(x)

    found = plus_632(losses, event=event, resamples=60, seed=1)
    assert found.apparent == 0.0
    assert found.estimate == pytest.approx(0.5, abs=0.1)
    assert found.no_information == pytest.approx(0.5)
    assert 0.632 <= found.weight <= 1


def test_plus_632_without_overfitting_is_plain_632() -> None:
    event = np.arange(60) % 3 == 0
    found = plus_632(lambda rows: np.zeros(60), event=event, resamples=60, seed=1)
    assert found.weight == pytest.approx(0.632)
    assert found.estimate == pytest.approx(1 / 3, abs=0.01)


def test_too_few_resamples_are_refused() -> None:
    event = np.arange(60) % 3 == 0
    with pytest.raises(Refused, match="resamples-too-few"):
        plus_632(lambda rows: np.zeros(60), event=event, resamples=2, seed=1)


def test_a_curve_that_follows_the_law_says_where_it_flattens() -> None:
    def learn(rows: Any) -> Any:
        return lambda test: 0.8 - 2.0 / len(rows)

    found = learning_curve(learn, n=400, sizes=[20, 40, 80, 160, 320], draws=2, seed=1)
    assert found.plateau == pytest.approx(0.8, abs=1e-4)
    assert found.flat_at == pytest.approx(200, abs=2)  # 2 / n = 0.01


@pytest.mark.parametrize(
    ("score", "sizes", "reason"),
    [
        (lambda n: 0.5, [20, 40, 80, 160], "does not rise"),
        (lambda n: 0.5 + n / 1000, [20, 40], "fewer than four"),
        (lambda n: 0.5 + n / 1000, [20, 40, 80, 160], "not known"),
    ],
)
def test_where_it_flattens_is_not_invented(score: Any, sizes: Any, reason: Any) -> None:
    found = learning_curve(lambda rows: lambda test: score(len(rows)), n=200, sizes=sizes, draws=1, seed=1)
    assert found.flat_at is None
    assert reason in found.reason


def test_training_sets_leave_others_to_score() -> None:
    seen = []

    def learn(rows: Any) -> Any:
        def score(test: Any) -> float:
            seen.append((len(rows), len(test), len(set(rows) & set(test))))
            return 0.6

        return score

    learning_curve(learn, n=50, sizes=[10, 20, 30, 40], draws=3, seed=1)
    assert all(first + second == 50 and both == 0 for first, second, both in seen)
    with pytest.raises(Refused, match="sizes from 2 to 40"):
        learning_curve(learn, n=50, sizes=[45], draws=1, seed=1)
