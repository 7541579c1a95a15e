"""What the study knows is found however people type it, and what only looks like it stays."""

from __future__ import annotations

import re

import pytest

from prognoscope.deidentify import Identity
from prognoscope.deidentify.text import MARK, Cleaner, tidy

YAMADA = "Yamada^Tarou=山田^太郎=やまだ^たろう"


def clean(text: str, name: str = "", *, number: str = "") -> str:
    identity = Identity(frozenset({name} - {""}), frozenset({number} - {""}))
    return tidy(Cleaner(identity).clean(text, free=True), mark=True)


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        (YAMADA, "山田太郎"),
        (YAMADA, "山田　太郎"),
        (YAMADA, "やまだたろう"),
        (YAMADA, "YAMADATAROU"),
        (YAMADA, "tarou.yamada"),
        ("Hong^Gildong=洪^吉洞=홍^길동", "홍길동"),
        ("Smith-Jones^Mary", "SMITHJONES"),
        ("Smith-Jones^Mary", "Smith Jones"),
        ("Smith-Jones^Mary", "Jones"),
        ("O'Brien^Pat", "OBrien"),
        ("O'Brien^Pat", "O’Brien"),
        ("van der Berg^Jan", "vanderBerg"),
        ("Müller^Hans", "Mueller"),
        ("Müller^Hans", "MULLER"),
        ("Mueller^Hans", "Müller"),
        ("García^Ana", "Garcia"),
        ("Garcia^Ana", "García"),
        ("DOE^JANE", "JaneDoe"),
        ("DOE^JANE", "JDoe"),
        ("DOE^JANE", "jane_doe"),
        ("DOE^JANE", "D O E"),
        ("DOE^JANE", "ＤＯＥ"),
        ("DOE^JANE", "Do\u00ade"),
        ("Ng^Ann", "Ng"),
        ("Wu^Xi", "Xi Wu"),
    ],
)
def test_a_name_is_found_as_people_type_it(name: str, typed: str) -> None:
    assert clean(f"seen {typed} today", name) == f"seen {MARK} today"


@pytest.mark.parametrize("typed", ["47118", "4711/8", "4711 8", "id4711-8x"])
def test_a_number_is_found_whatever_stands_between_its_parts(typed: str) -> None:
    assert "4711" not in clean(f"of {typed}, left lung", number="4711-8")


@pytest.mark.parametrize("typed", ["2099391", "209 9391", "MRN/2099-391", "mrn 2099391", "2-099-391"])
def test_the_digits_of_a_number_identify_without_its_letters(typed: str) -> None:
    assert clean(f"of {typed}, left lung", number="MRN2099391") == f"of {MARK}, left lung"


@pytest.mark.parametrize("number", ["0047118", "47118"])
def test_zeros_in_front_come_and_go(number: str) -> None:
    assert "47118" not in clean("number 47118, left lung", number=number)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Li^Wei", "LI segment, 5 li"),
        ("Ng^Do", "Do not move; 5 ng per ml"),
        ("Art^Paul", "part of the aorta"),
        ("Low^Frank", "flow in the portal vein"),
        ("Lee^Sue", "sleeve, issue"),
        ("Parkinson^Wilson", "Parkinson disease, Wilson disease"),
        ("Baker^May", "Baker cyst in the knee"),
        ("White^Brown", "white matter, Brown tumor"),
    ],
)
def test_words_that_only_contain_a_name_or_are_medicine_stay(name: str, text: str) -> None:
    assert clean(text, name) == text


@pytest.mark.parametrize(
    "text",
    [
        "T1 10 20 30, matrix 256 256 180",
        "HU 120 140 160 180",
        "10.1234, 5.1234 mm",
        "T2 N1 M0, L4/L5, BI-RADS 4b",
        "b 1000 s/mm2, TR 3000 TE 80",
        "SUVmax 12.34, ratio 0.85 to 1.25",
        "second of three lesions, Grade 3",
        "angle 23° 15'",
        "stage 3 may progress",
    ],
)
def test_numbers_of_medicine_stay(text: str) -> None:
    assert clean(text, "DOE^JANE", number="4711-8") == text


@pytest.mark.parametrize(
    "secret",
    [
        "123 45 6789",
        "123.45.6789",
        "756.9217.0769.85",
        "CH93 0076 2011 6238 5295 7",
        "079/123 45 67",
        "192.168.12.44",
        "46.94809, 7.44744",
        "46° 56′ 53″ N",
        "PatID=AB 12 34 56",
        "BE 123456",
    ],
)
def test_what_is_likely_an_identifier_goes_though_nobody_knows_it(secret: str) -> None:
    assert clean(f"note {secret}, no change") == f"note {MARK}, no change"


@pytest.mark.parametrize("text", ["95-year-old woman", "95 y/o woman", "woman aged 95", "95-jährige"])
def test_ages_over_89_are_put_together(text: str) -> None:
    assert clean(text) == text.replace("95", "90")
    assert clean(text.replace("95", "59")) == text.replace("95", "59")


def test_a_text_in_which_nothing_had_to_go_is_the_very_same() -> None:
    text = "ＣＴ of the lung\u200b, no change"
    assert Cleaner(Identity()).clean(text, free=True) is text


@pytest.mark.parametrize(
    "text",
    [
        "Zоrvаk",  # o and a of Cyrillic
        "ΖΟRVΑΚ",  # capitals of Greek
        "𝐙𝐨𝐫𝐯𝐚𝐤",  # bold letters of mathematics
    ],
)
def test_letters_of_other_scripts_that_look_alike_are_the_same_letters(text: str) -> None:
    cleaner = Cleaner(Identity(frozenset({"ZORVAK^JANE"})))
    assert cleaner.clean(f"seen {text} today", free=True) != f"seen {text} today"


@pytest.mark.parametrize("name", ["Воробьёв^Иван", "Νικολάου^Γιώργος"])
def test_a_name_in_another_script_is_found_in_small_letters_and_capitals(name: str) -> None:
    family = name.split("^")[0]
    cleaner = Cleaner(Identity(frozenset({name})))
    for text in (family, family.upper(), family.lower()):
        assert family.lower() not in cleaner.clean(f"x {text} y", free=True).lower()


@pytest.mark.parametrize(
    "text", ["QUIST-\nGAARD", "Quist-gaard", "ThorvaldQuistgaard", "EmilQuistgaard", "Quistgaard Emil"]
)
def test_a_name_broken_by_a_hyphen_or_glued_to_one_of_its_given_names_is_found(text: str) -> None:
    cleaner = Cleaner(Identity(frozenset({"Quistgaard^Thorvald Emil"})))
    assert not re.search("gaard|quist", cleaner.clean(text, free=True), re.IGNORECASE)
