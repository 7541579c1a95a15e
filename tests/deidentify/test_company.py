"""What looks like a name, a title, a street or a number in the talk of imaging, and what is one."""

from __future__ import annotations

import pytest

from prognoscope.deidentify import Identity
from prognoscope.deidentify.text import Cleaner, tidy

# DICOM headers of public collections write such texts (The Cancer Imaging Archive; Siemens' REGION^PROTOCOL).
HARMLESS = (
    "Head^Routine",
    "Thorax^1WB_PETCT",
    "Abdomen^1_Abd_Pel_Routine",
    "Specials^01_Biopsy",
    "Hals^Weichteile",
    "US^Abdomen^Complete",
    "s/mm^2",
    "x10^3/mm^3",
    "MR BRAIN WO/W CONTRAST",
    "MR Breast Bilateral",
    "MR Cholangiogram",
    "MS Follow up brain",
    "DR Chest PA",
    "SR Radiation Dose",
    "5 CHEST CT",
    "2 View Chest CT",
    "16 Channel Head Pl",
    "12 Iliac Crest",
    "Chest, PA 12345",
    "LEFT, RT 50000",
    "370000000 Bq",
    "dose 185000000",
    "count 1234567",
    "SNOMED 39607008",
    "Visit: 3",
    "ID: T1",
    "TE 20-40-60",
    "1_2_2000",
    "Mr. Bell's palsy",
    "Hospital Course",
    "Ordered by ED",
    "512 x 512",
    "1.5 x2000",
    "Mother: Diabetes",
    "syngo.via VB40",
)
# Text, and what may not be left of it.
IDENTIFYING = (
    ("Dr. Young", "Young"),
    ("Mrs. Brown", "Brown"),
    ("Dr.Ramirez", "Ramirez"),
    ("DR RAMIREZ", "RAMIREZ"),
    ("MR RAMIREZ", "RAMIREZ"),
    ("RAMIREZ^JOSE", "RAMIREZ"),
    ("Jose Ramirez, MD", "Ramirez"),
    ("J Ramirez M.D.", "Ramirez"),
    ("Jose Ramirez PhD", "Ramirez"),
    ("PATIENT NAME JOSE RAMIREZ", "RAMIREZ"),
    ("name: ramirez", "ramirez"),
    ("dictated by ramirez", "ramirez"),
    ("mother (Elena Ramirez)", "Ramirez"),
    ("her husband, Jose", "Jose"),
    ("tech Ramirez", "Ramirez"),
    ("discussed with Elena Ramirez", "Ramirez"),
    ("S/N 88123", "88123"),
    ("VIN 1HGCM82633A004352", "1HGCM"),
    ("license plate 7ABC123", "7ABC123"),
    ("Medicare 1EG4-TE5-MK73", "MK73"),
    ("med rec no 88123", "88123"),
    ("pager 4412", "4412"),
    ("x4412", "4412"),
    ("614-555-0188 x 231", "231"),
    ("56321 Kelly Ports Suite 412", "Kelly"),
    ("88 Oak Ridge", "Oak"),
    ("12 rue de la Paix, 75002 Paris", "Paix"),
    ("Calle Mayor 14, Madrid", "Mayor"),
    ("Kerkstraat 12, Utrecht", "Kerk"),
    ("412 ELM CT", "ELM"),
    ("00:1B:44:11:3A:B7", "1B:44"),
    ("fe80::1ff:fe23:4567:890a", "fe23"),
    ("/home/jramirez/x.dcm", "jramirez"),
    ("jose ramirez at mail dot com", "ramirez"),
    ("94F", "94"),
    ("94M chest pain", "94"),
    ("age=94", "94"),
    ("ninety-four year old", "ninety-four"),
    ("Mayo Clinic", "Mayo"),
    ("MERCY HOSPITAL", "MERCY"),
    ("Lakeside Medical Center", "Lakeside"),
    ("University of Ohio", "Ohio"),
    ("7-III-2019", "III-2019"),
    ("07_03_2019", "07_03_2019"),
    ("3 / 7 / 2019", "3 / 7 / 2019"),
    ("03/2019", "03/2019"),
    ("2019-03", "2019-03"),
)


def cleaned(text: str, identity: Identity | None = None, shift: int | None = None) -> str:
    return tidy(Cleaner(identity or Identity(), shift).clean(text, free=True), mark=False)


@pytest.mark.parametrize("text", HARMLESS)
def test_the_talk_of_imaging_stays(text: str) -> None:
    assert cleaned(text) == text


@pytest.mark.parametrize(("text", "gone"), IDENTIFYING)
@pytest.mark.parametrize("shift", [None, -1000])
def test_what_identifies_goes_though_nobody_in_the_study_has_it(text: str, gone: str, shift: int | None) -> None:
    assert gone not in cleaned(text, shift=shift)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Green", ""),
        ("GREEN Lung 1.0 B70f", "Lung 1.0 B70f"),
        ("green dye", "green dye"),
        ("T1 GREEN WHITE", "T1 GREEN WHITE"),
    ],
)
def test_a_surname_that_is_also_a_word_goes_where_it_stands_as_a_name(text: str, left: str) -> None:
    assert cleaned(text, Identity(names=frozenset({"GREEN^DONATO"}))) == left


def test_pages_are_counted_for_a_patient_called_page() -> None:
    assert cleaned("Page 2 of 3", Identity(names=frozenset({"PAGE^JAMIE"}))) == "Page 2 of 3"


def test_the_maker_of_a_machine_stays_for_a_patient_called_like_it() -> None:
    known = Identity(names=frozenset({"PHILIP^ANNA"}))
    assert cleaned("Philips Medical Systems", known) == "Philips Medical Systems"
    assert cleaned("the Philips came late", known) == "the came late"


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("7-III-2019", "10-VI-2016"),
        ("07_03_2019", "10_06_2016"),
        ("3 / 7 / 2019", "6 / 10 / 2016"),
        ("03/2019", "06/2016"),
        ("2019-03", "2016-06"),
    ],
)
def test_rarer_forms_of_dates_move_by_the_shift(text: str, moved: str) -> None:
    # GNU date: 2019-03-07 less 1,000 days is 2016-06-10, 2019-07-03 less 1,000 days is 2016-10-06.
    assert cleaned(text, shift=-1000) == moved


def test_a_day_of_the_study_in_six_digits_moves_and_other_six_digits_stay() -> None:
    known = Identity(days=frozenset({"20190307"}))
    assert cleaned("scan 190307, id 030719, section 123456", known, -1000) == "scan 160610, id 061016, section 123456"
    assert cleaned("scan 190307", known) == "scan"
