"""Guards: each catches the fault it is for, leaves a clean cohort alone, and says what it saw."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from prognoscope.core.outcome import Binary, Outcome, TimeToEvent
from prognoscope.core.predictions import OutOfFold
from prognoscope.core.table import Column, Table
from prognoscope.validation import (
    candidate_parameters,
    duplicate_patients,
    folds_differ,
    image_fingerprint,
    informative_missingness,
    known_event,
    known_too_late,
    near_pairs,
    no_signal,
    outcome_in_disguise,
    sample_size,
    shortcut,
    study_guards,
    unbalanced_split,
)
from tests.make.validation import binary_cohort, cohort_table, out_of_fold, scan, survival_cohort

N = 100


@pytest.fixture
def clean() -> Any:
    event, risk = binary_cohort(N, seed=1)
    return cohort_table(N, seed=1), Binary(event), out_of_fold(risk, repeats=2, folds=5)


def with_column(table: Any, name: Any, values: Any, **more: Any) -> Any:
    column = Column(name, more.pop("type", "number"), known_at=more.pop("known_at", "time_zero"))
    return Table(table.frame.assign(**{name: values}), (*table.columns, column))


class TestDuplicatePatients:
    def test_a_row_that_appears_again_under_another_name_in_another_fold_blocks(self, clean: Any) -> None:
        table, outcome, main = clean
        rows = [*range(N - 1), 3]
        frame = table.frame.iloc[rows].set_axis(table.frame.index)
        fold = main.fold.copy()
        fold[:, 3], fold[:, N - 1] = 0, 1
        guard = duplicate_patients(Table(frame, table.columns), outcome.take(rows), fold, fingerprints={})
        assert (guard.status, guard.blocks) == ("failed", True)
        assert "P003 and P099: equal predictors and outcome" in guard.evidence

    def test_twins_that_never_part_only_warn(self, clean: Any) -> None:
        table, outcome, main = clean
        rows = [*range(N - 1), 3]
        frame = table.frame.iloc[rows].set_axis(table.frame.index)
        fold = main.fold.copy()
        fold[:, N - 1] = fold[:, 3]
        guard = duplicate_patients(Table(frame, table.columns), outcome.take(rows), fold, fingerprints={})
        assert (guard.status, guard.blocks) == ("warned", False)

    def test_equal_rows_of_two_common_categories_prove_nothing(self) -> None:
        frame = pd.DataFrame({"sex": ["F", "M"] * 20}, index=[f"P{i}" for i in range(40)])
        table = Table(frame, (Column("sex", "category"),))
        fold = (np.arange(40) % 2)[None]
        guard = duplicate_patients(table, Binary(np.arange(40) % 4 == 0), fold, fingerprints={})
        assert guard.status == "passed"
        assert "expected by chance" in guard.evidence

    def test_one_scan_under_two_names_is_found_by_its_pixels(self, clean: Any) -> None:
        table, outcome, main = clean
        prints = {str(patient): [image_fingerprint(scan(i))] for i, patient in enumerate(table.frame.index[:20])}
        again = scan(4) * 1.5 - 20 + np.random.default_rng(0).normal(size=scan(4).shape).astype(np.float32)
        prints["P050"] = [image_fingerprint(again)]
        fold = main.fold.copy()
        fold[0, 4], fold[0, 50] = 0, 1
        guard = duplicate_patients(table, outcome, fold, fingerprints=prints)
        assert guard.blocks
        assert "P004 and P050: images differ in" in guard.evidence

    def test_different_scans_pass(self, clean: Any) -> None:
        table, outcome, main = clean
        prints = {str(patient): [image_fingerprint(scan(i))] for i, patient in enumerate(table.frame.index)}
        assert duplicate_patients(table, outcome, main.fold, fingerprints=prints).status == "passed"


class TestNearlyEqualRows:
    """One patient measured again: images exported anew give nearly the same numbers, never the same bits."""

    @pytest.mark.parametrize(
        ("change", "found"),
        [
            (lambda row, r: row.round(3), "8 of 8"),
            (lambda row, r: row + 1e-6 * r.normal(size=8), "8 of 8"),
            (lambda row, r: np.append(row[:7], 9.0), "7 of 8"),
            (lambda row, r: np.append(row[:7], np.nan), "7 of 8"),
        ],
        ids=["rounded", "noise", "one value another", "one value missing"],
    )
    def test_block_whatever_the_outcome(self, change: Any, found: str) -> None:
        table, fold = measurements(N, 8)
        again = change(table.frame.iloc[3].to_numpy(), np.random.default_rng(1))
        table.frame.iloc[N - 1] = again
        guard = duplicate_patients(table, Binary(np.arange(N) == 3), fold, fingerprints={})
        assert (guard.status, guard.blocks) == ("failed", True)
        assert f"P003 and P099: {found} measurements nearly equal" in guard.evidence

    def test_half_of_the_measurements_equal_prove_nothing(self) -> None:
        table, fold = measurements(N, 8)
        table.frame.iloc[N - 1, :4] = table.frame.iloc[3, :4].to_numpy()
        assert duplicate_patients(table, Binary(np.arange(N) < 30), fold, fingerprints={}).status == "passed"

    def test_columns_that_are_each_others_double_count_once(self) -> None:
        table, fold = measurements(300, 1)
        for number in range(40):
            table = with_column(table, f"double{number}", table.frame["x0"] * (number + 2) + number)
        assert duplicate_patients(table, Binary(np.arange(300) < 90), fold, fingerprints={}).status == "passed"

    def test_clean_cohorts_with_shared_factors_pass(self) -> None:
        for seed in range(20):
            random = np.random.default_rng(seed)
            table, fold = measurements(200, 30, seed=seed)
            shared = np.exp(random.normal(size=(200, 2)) @ random.normal(size=(2, 30)))
            table.frame.iloc[:, :] = shared * np.exp(0.1 * random.normal(size=(200, 30)))
            assert duplicate_patients(table, Binary(np.arange(200) < 60), fold, fingerprints={}).status == "passed"


def measurements(n: int, columns: int, *, seed: int = 0) -> tuple[Table, NDArray[np.int64]]:
    """Independent numbers, and one repeat of five folds."""
    values = np.random.default_rng([seed, 5]).normal(size=(n, columns))
    frame = pd.DataFrame(values, [f"P{row:03d}" for row in range(n)], [f"x{column}" for column in range(columns)])
    return Table(frame, tuple(Column(str(name), "number") for name in frame)), (np.arange(n) % 5)[None]


class TestFingerprints:
    def test_a_fingerprint_is_192_bits_and_the_same_every_time(self) -> None:
        assert len(image_fingerprint(scan(1))) == 48
        assert image_fingerprint(scan(1)) == image_fingerprint(scan(1).copy())

    def test_rescaled_intensities_and_half_the_resolution_stay_near_other_scans_do_not(self) -> None:
        one = scan(1)
        prints = {
            "one": [image_fingerprint(one)],
            "rescaled": [image_fingerprint(one * 3 + 7)],
            "halved": [image_fingerprint(one[:, ::2, ::2])],
            "other": [image_fingerprint(scan(2))],
        }
        near = {(first, second) for first, second, _ in near_pairs(prints)}
        assert near == {("halved", "one"), ("one", "rescaled"), ("halved", "rescaled")}

    def test_a_single_picture_is_compared_in_its_plane(self) -> None:
        prints = {str(i): [image_fingerprint(scan(i)[:1])] for i in range(5)}
        prints["again"] = [image_fingerprint(scan(3)[:1] * 2)]
        assert [pair[:2] for pair in near_pairs(prints)] == [("3", "again")]

    def test_turned_grey_levels_are_the_same_picture(self) -> None:
        prints = {str(i): [image_fingerprint(scan(i)[:1])] for i in range(5)}
        prints["negative"] = [image_fingerprint(4000 - scan(3)[:1])]
        assert [pair[:2] for pair in near_pairs(prints)] == [("3", "negative")]

    def test_two_images_of_one_patient_are_no_pair(self) -> None:
        same = image_fingerprint(scan(1))
        assert near_pairs({"A": [same, same]}) == ()


class TestOutcomeInDisguise:
    def test_a_noisy_copy_of_the_outcome_blocks_and_is_named(self, clean: Any) -> None:
        table, outcome, _ = clean
        copy = outcome.event + np.random.default_rng(2).normal(scale=0.2, size=N)
        guard = outcome_in_disguise(with_column(table, "days_in_hospice", copy), outcome)
        assert (guard.status, guard.blocks) == ("failed", True)
        assert "days_in_hospice" in guard.evidence

    def test_a_level_that_only_the_dead_have_blocks(self, clean: Any) -> None:
        table, outcome, _ = clean
        where = np.where(outcome.event, "mortuary", "home")
        guard = outcome_in_disguise(with_column(table, "discharge", where, type="category"), outcome)
        assert "discharge = " in guard.evidence

    def test_values_that_are_missing_for_just_those_with_the_event_block(self, clean: Any) -> None:
        table, outcome, _ = clean
        values = np.where(outcome.event, np.nan, np.arange(N))
        assert "follow_up missing" in outcome_in_disguise(with_column(table, "follow_up", values), outcome).evidence

    def test_follow_up_time_itself_as_a_predictor_of_survival_blocks(self) -> None:
        outcome, _ = survival_cohort(N, seed=3)
        table = with_column(cohort_table(N, seed=3), "months", outcome.time_days / 30)
        assert "months (1.000)" in outcome_in_disguise(table, outcome).evidence

    def test_a_strong_honest_predictor_passes(self) -> None:
        event, _ = binary_cohort(N, seed=4)
        strong = with_column(cohort_table(N, seed=4), "strong", 1.8 * event + np.random.default_rng(14).normal(size=N))
        guard = outcome_in_disguise(strong, Binary(event))
        assert guard.status == "passed"
        assert "the strongest, strong" in guard.evidence

    @pytest.mark.parametrize(
        ("made", "named"),
        [
            (lambda y, r: np.char.add(np.where(y, "D", "A"), r.integers(0, 2, N).astype(str)), "its levels together"),
            (lambda y, r: np.where(y, r.uniform(-0.3, 0.3, N), r.choice([-1, 1], N)), "its ranges together"),
            (lambda y, r: np.where(r.random(N) < 0.5, np.nan, y), "copy (1.000)"),
        ],
        ids=["codes", "the middle of a range", "known of half"],
    )
    def test_a_disguise_of_another_shape_blocks(self, clean: Any, made: Any, named: str) -> None:
        table, outcome, _ = clean
        values = made(outcome.event, np.random.default_rng(3))
        kind = "category" if values.dtype.kind == "U" else "number"
        guard = outcome_in_disguise(with_column(table, "copy", values, type=kind), outcome)
        assert (guard.status, guard.blocks) == ("failed", True)
        assert named in guard.evidence

    def test_the_status_at_the_end_of_follow_up_is_the_outcome_though_events_come_after_the_horizon(self) -> None:
        outcome, _ = survival_cohort(N, seed=3)
        early = TimeToEvent(outcome.time_days, outcome.event, float(np.quantile(outcome.time_days, 0.3)))
        table = with_column(cohort_table(N, seed=3), "status", outcome.event.astype(float))
        assert "status (1.000)" in outcome_in_disguise(table, early).evidence

    def test_one_wrong_in_twenty_warns(self, clean: Any) -> None:
        table, outcome, _ = clean
        wrong = np.zeros(N, dtype=bool)
        wrong[:: N // 5] = True
        guard = outcome_in_disguise(with_column(table, "copy", (outcome.event ^ wrong).astype(float)), outcome)
        assert (guard.status, guard.blocks) == ("warned", False)

    def test_a_model_that_hardly_errs_though_no_predictor_tells_the_outcome_warns(self, clean: Any) -> None:
        table, outcome, _ = clean
        assert outcome_in_disguise(table, outcome, together=0.96).status == "passed"
        assert "the model reaches 0.980" in outcome_in_disguise(table, outcome, together=0.98).evidence

    def test_noise_of_any_shape_passes(self) -> None:
        for seed in range(20):
            event, _ = binary_cohort(60, seed=seed)
            random = np.random.default_rng(seed)
            frame = pd.DataFrame({f"x{i}": random.normal(size=60) for i in range(20)})
            frame["many"] = random.choice(list("abcdefghijklmnop"), 60)
            kinds = [Column(str(name), "category" if name == "many" else "number") for name in frame]
            assert outcome_in_disguise(Table(frame, tuple(kinds)), Binary(event)).status == "passed"

    def test_perfect_separation_of_six_patients_is_no_proof(self) -> None:
        frame = pd.DataFrame({"x": [1.0, 2, 3, 4, 5, 6]}, index=list("abcdef"))
        table = Table(frame, (Column("x", "number"),))
        assert outcome_in_disguise(table, Binary(np.array([0, 0, 0, 1, 1, 1]) == 1)).status == "passed"


class TestKnownTooLate:
    @pytest.mark.parametrize(
        ("known_at", "status"), [("time_zero", "passed"), ("undeclared", "warned"), ("later", "failed")]
    )
    def test_what_is_declared_decides(self, clean: Any, known_at: Any, status: Any) -> None:
        guard = known_too_late(with_column(clean[0], "treatment", np.arange(N), known_at=known_at))
        assert guard.status == status
        assert guard.blocks is (status == "failed")
        assert ("treatment" in guard.evidence) is (status != "passed")


class TestShortcut:
    @pytest.mark.parametrize("kind", ["binary", "survival"])
    def test_a_view_that_goes_with_the_outcome_warns_and_is_named(self, kind: str) -> None:
        random = np.random.default_rng(5)
        outcome: Outcome
        if kind == "binary":
            event, _ = binary_cohort(N, seed=5)
            outcome, sick = Binary(event), event
        else:
            outcome, _ = survival_cohort(N, seed=5)
            sick = known_event(outcome)
        view = np.where(random.random(N) < np.where(sick, 0.85, 0.15), "AP", "PA")
        frame = pd.DataFrame({"view": view, "scanner": random.choice(["A", "B"], N)})
        guard = shortcut(frame, outcome, seed=1)
        assert (guard.status, guard.blocks) == ("warned", False)
        assert "view (" in guard.evidence

    def test_sites_without_relation_to_the_outcome_rarely_warn(self) -> None:
        warned = 0
        for seed in range(40):
            event, _ = binary_cohort(60, seed=seed)
            frame = pd.DataFrame({"centre": np.random.default_rng(seed).choice(list("ABC"), 60)})
            warned += shortcut(frame, Binary(event), seed=seed).status == "warned"
        assert warned <= 2

    def test_one_scanner_for_all_leaves_nothing_to_look_at(self, clean: Any) -> None:
        guard = shortcut(pd.DataFrame({"scanner": ["A"] * N}), clean[1], seed=1)
        assert guard.status == "passed"
        assert guard.evidence.startswith("Nothing to look at")


class TestInformativeMissingness:
    def test_who_was_measured_predicts_the_outcome(self, clean: Any) -> None:
        _, outcome, _ = clean
        random = np.random.default_rng(6)
        lactate = np.where(random.random(N) < np.where(outcome.event, 0.2, 0.8), np.nan, random.normal(size=N))
        guard = informative_missingness(pd.DataFrame({"lactate": lactate}), outcome, seed=1)
        assert (guard.status, guard.blocks) == ("warned", False)
        assert "lactate" in guard.evidence

    def test_a_complete_table_passes(self, clean: Any) -> None:
        assert informative_missingness(clean[0].frame, clean[1], seed=1).status == "passed"


class TestNoSignal:
    def test_risks_without_relation_to_the_outcome_are_called_no_signal(self) -> None:
        event, _ = binary_cohort(N, seed=7)
        risk = np.random.default_rng(8).uniform(0.1, 0.9, size=N)
        guard = no_signal(Binary(event), out_of_fold(risk, repeats=2, folds=5), seed=1)
        assert guard.status == "warned"
        assert "No signal" in guard.evidence
        assert "fitted models kept" in guard.evidence

    def test_a_good_model_passes_with_the_smallest_p_value_of_999_shuffles(self) -> None:
        outcome, risk = survival_cohort(N, seed=9)
        guard = no_signal(outcome, out_of_fold(risk.clip(1e-6, 1 - 1e-6), repeats=2, folds=5), seed=1)
        assert guard.status == "passed"
        assert "p = 0.001" in guard.evidence

    def test_leaving_one_out_cannot_show_a_signal(self) -> None:
        event, risk = binary_cohort(30, seed=1)
        assert no_signal(Binary(event), OutOfFold(risk[None], np.arange(30)[None]), seed=1).status == "warned"

    def test_shuffles_that_leave_folds_of_one_class_do_not_hide_the_others(self) -> None:
        event = np.tile([True, False, False, False], 4)
        risk = np.where(event, 0.8, 0.2) + np.linspace(0, 0.1, 16)
        guard = no_signal(Binary(event), OutOfFold(risk[None], np.repeat(np.arange(4), 4)[None]), seed=1)
        assert "The cross-validated AUC is 1.00" in guard.evidence


class TestSampleSize:
    def test_fifty_patients_for_three_hundred_features_warn_with_the_number_needed(self) -> None:
        event, _ = binary_cohort(50, seed=10)
        guard = sample_size(Binary(event), parameters=300)
        assert guard.status == "warned"
        assert "300 candidate parameters" in guard.evidence
        assert "patients are needed" in guard.evidence

    def test_thousands_of_patients_for_three_predictors_pass(self) -> None:
        outcome, _ = survival_cohort(3000, seed=11)
        assert sample_size(outcome, parameters=3).status == "passed"

    def test_levels_less_one_are_parameters(self) -> None:
        frame = pd.DataFrame({"age": [1.0, 2, 3], "grade": ["a", "b", "c"]}, index=list("xyz"))
        assert candidate_parameters(Table(frame, (Column("age", "number"), Column("grade", "category")))) == 3


class TestFoldsDiffer:
    def test_a_fold_in_which_the_model_is_reversed_warns(self) -> None:
        event, risk = binary_cohort(400, seed=12)
        fold = np.arange(400) % 4
        turned = np.where(fold == 0, 1 - risk, risk)
        guard = folds_differ(Binary(event), OutOfFold(turned[None], fold[None]), seed=1)
        assert guard.status == "warned"

    @pytest.mark.parametrize("kind", ["binary", "survival"])
    def test_folds_of_one_model_pass(self, kind: str) -> None:
        outcome: Outcome
        if kind == "binary":
            event, risk = binary_cohort(200, seed=13)
            outcome = Binary(event)
        else:
            outcome, risk = survival_cohort(200, seed=13)
        assert (
            folds_differ(outcome, out_of_fold(risk.clip(1e-6, 1 - 1e-6), repeats=3, folds=5), seed=1).status == "passed"
        )


class TestUnbalancedSplit:
    def test_folds_that_are_sites_warn(self) -> None:
        centre = np.repeat(list("ABCD"), 25)
        guard = unbalanced_split(pd.DataFrame({"centre": centre}), np.repeat(np.arange(4), 25)[None], seed=1)
        assert guard.status == "warned"
        assert "centre" in guard.evidence

    def test_folds_in_the_order_of_time_warn(self) -> None:
        date = pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(100), unit="D")
        guard = unbalanced_split(pd.DataFrame({"date": date}), np.repeat(np.arange(4), 25)[None], seed=1)
        assert guard.status == "warned"

    def test_random_folds_pass(self) -> None:
        random = np.random.default_rng(14)
        frame = pd.DataFrame({"centre": random.choice(list("ABC"), 100)})
        fold = np.stack([random.permutation(np.arange(100) % 5) for _ in range(5)])
        assert unbalanced_split(frame, fold, seed=1).status == "passed"


def test_all_guards_of_a_clean_study_stand_in_the_order_of_the_report(clean: Any) -> None:
    table, outcome, main = clean
    guards = study_guards(table, outcome, main, seed=1)
    assert [guard.name for guard in guards] == [
        "duplicate-patients", "outcome-in-disguise", "known-too-late", "no-signal", "shortcut",
        "informative-missingness", "sample-size", "folds-differ", "unbalanced-split",
    ]  # fmt: skip
    assert not any(guard.blocks for guard in guards)
    assert all(guard.evidence.endswith((".", ")")) for guard in guards)


def test_guards_of_a_study_do_not_depend_on_when_they_run(clean: Any) -> None:
    table, outcome, main = clean
    assert study_guards(table, outcome, main, seed=1) == study_guards(table, outcome, main, seed=1)


def test_guards_of_five_patients_of_one_class_pass_or_warn_but_do_not_break() -> None:
    outcome = TimeToEvent(np.arange(1.0, 6.0), np.zeros(5, dtype=bool), 730.0)
    main = out_of_fold(np.linspace(0.2, 0.6, 5), folds=2)
    assert not any(guard.blocks for guard in study_guards(cohort_table(5, seed=1), outcome, main, seed=1))
