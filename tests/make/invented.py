"""Invented patients for the planter: names in three scripts, numbers, addresses, and how people type them."""

from __future__ import annotations

import random
from dataclasses import dataclass

_SYLLABLES = ("zor", "vak", "lun", "mir", "tej", "pol", "gry", "bex", "dun", "hal", "kip", "fes", "wym", "jat", "noz")
_IDEOGRAPHS = "山田太郎佐藤鈴木高橋伊渡辺中村小林加吉"
_KANA = "あいうえおかきくけこさしすせそたちつてと"
_LOOK_ALIKES = str.maketrans("aeopxyAEOPXYMTHKB", "аеорхуАЕОРХУМТНКВ")  # of Cyrillic
_MONTHS = (  # of the calendar, in three languages
    ("January", "Januar", "janvier"), ("February", "Februar", "février"), ("March", "März", "mars"),
    ("April", "April", "avril"), ("May", "Mai", "mai"), ("June", "Juni", "juin"), ("July", "Juli", "juillet"),
    ("August", "August", "août"), ("September", "September", "septembre"), ("October", "Oktober", "octobre"),
    ("November", "November", "novembre"), ("December", "Dezember", "décembre"),
)  # fmt: skip


@dataclass(frozen=True)
class Person:
    """An invented patient and the people and places around them."""

    given: str
    family: str
    patient_id: str
    other_id: str
    accession: str
    address: str
    phone: str
    mail: str
    physician: str
    institution: str
    birth: str
    study: str
    scan: str
    kanji: str
    kana: str

    @property
    def name(self) -> str:
        return f"{self.family}^{self.given}"

    @property
    def full_name(self) -> str:
        """In three scripts, as PS3.5 6.2.1 has them: alphabetic, ideographic, phonetic."""
        return f"{self.name}={self.kanji}={self.kana}"

    def spellings(self) -> tuple[str, ...]:
        """The name and the numbers as people type them."""
        year, month, day = int(self.study[:4]), int(self.study[4:6]), int(self.study[6:])
        english, german, french = _MONTHS[month - 1]
        number, phone = self.patient_id.removeprefix("MRN"), self.phone.replace("-", "")
        return (
            f"{self.given}{self.family}",
            f"{self.family}{self.given}".upper(),
            f"{self.given[0]}. {self.family}",
            f"{self.given.lower()}_{self.family.lower()}",
            " ".join(self.family.upper()),
            "".join(chr(ord(letter) + 0xFEE0) for letter in self.family.upper()),
            f"{self.given[:3]}\u00ad{self.given[3:]}",
            self.kanji.replace("^", ""),
            self.kanji.split("^")[0],
            self.kana.replace("^", " "),
            f"{number[:3]} {number[3:]}",
            f"MRN/{number[:4]}-{number[4:]}",
            f"0{phone[:2]}/{phone[2:5]} {phone[5:7]} {phone[7:]}",
            f"{day}. {german} {year}",
            f"{day} {french} {year}",
            f"{english} the {day}, {year}",
            f"{year}年{month}月{day}日",
            f"{day:02d}{english[:3].upper()}{year}",
            self.day_without_year(),
            f"{self.family[:5]}-\n{self.family[5:]}",
            self.family.translate(_LOOK_ALIKES),
            f"{self.given.upper().translate(_LOOK_ALIKES)} {self.family}",
        )

    def day_without_year(self) -> str:
        """The day of the study; moved to another year's, it may well be another patient's."""
        return f"seen on {int(self.study[4:6])}/{int(self.study[6:])} again"

    def secrets(self) -> tuple[str, ...]:
        """Strings that may be nowhere in what leaves, of any patient."""
        spellings = (one for one in self.spellings() if one != self.day_without_year())
        physician = self.physician.split("^")
        words = (self.given, self.family, self.patient_id, self.other_id, self.accession, self.address, self.phone)
        kanji = (*self.kanji.split("^"), *self.kana.split("^"))
        return (*words, self.mail, self.institution, *physician, self.birth, *kanji, *spellings)


def invent_person(random_: random.Random) -> Person:
    """Invent a patient; the same source of chance gives the same one."""

    def word(count: int) -> str:
        return "".join(random_.choice(_SYLLABLES) for _ in range(count)).capitalize()

    def number(digits: int) -> str:
        return str(random_.randrange(10 ** (digits - 1), 10**digits))

    year = random_.randrange(2003, 2020)
    day = f"{random_.randrange(1, 13):02d}{random_.randrange(1, 27):02d}"
    given, family = word(3), word(4)
    return Person(
        given=given,
        family=family,
        patient_id=f"MRN{number(7)}",
        other_id=f"H-{number(8)}",
        accession=f"A{number(9)}",
        address=f"{number(3)} {word(3)} Street, {word(3)}",
        phone=f"{number(3)}-{number(3)}-{number(4)}",
        mail=f"{given.lower()}.{word(3).lower()}@{word(2).lower()}.org",
        physician=f"{word(4)}^{word(3)}",
        institution=f"{word(3)} Hospital",
        birth=f"19{random_.randrange(30, 99)}{random_.randrange(1, 13):02d}{random_.randrange(1, 27):02d}",
        study=f"{year}{day}",
        scan=f"{year}{day[:2]}{int(day[2:]) + 1:02d}",
        kanji="^".join("".join(random_.sample(_IDEOGRAPHS, 2)) for _ in range(2)),
        kana="^".join("".join(random_.sample(_KANA, 3)) for _ in range(2)),
    )
