"""The page in a real browser: it asks for nothing, complains of nothing, and fits a telephone and a sheet of paper."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.make.report import STUDIES
from tests.report.pages import page

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
TELEPHONE, DESKTOP = 390, 1360

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium (apt-get install chromium)"),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield opened
        opened.close()


class Visit:
    """A report opened from a file, and what the browser said about it."""

    def __init__(self, browser: Browser, folder: Path, study: str, width: int) -> None:
        self.file = folder / f"{study}.html"
        self.file.write_text(page(study), encoding="utf-8")
        self.page: Page = browser.new_page(viewport={"width": width, "height": 900})
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("dialog", lambda dialog: self.said.append(dialog.message))
        self.page.goto(self.file.as_uri())


@pytest.mark.parametrize("width", [TELEPHONE, DESKTOP])
@pytest.mark.parametrize("study", STUDIES)
def test_a_report_asks_for_nothing_complains_of_nothing_and_fits(
    browser: Browser, tmp_path: Path, study: str, width: int
) -> None:
    visit = Visit(browser, tmp_path, study, width)
    try:
        assert visit.said == []
        assert [url for url in visit.asked if not url.startswith("data:")] == [visit.file.as_uri()]
        assert visit.page.evaluate("document.documentElement.scrollWidth") == width
    finally:
        visit.page.close()


@pytest.mark.parametrize("study", ["strong", "survival"])
def test_every_figure_has_a_name_and_a_description_for_a_screen_reader(
    browser: Browser, tmp_path: Path, study: str
) -> None:
    visit = Visit(browser, tmp_path, study, DESKTOP)
    try:
        images = visit.page.get_by_role("img")
        assert images.count() >= 8
        for place in range(images.count()):
            assert images.nth(place).evaluate("node => node.getBoundingClientRect().width") > 100
        assert visit.page.get_by_role("img", name="Net benefit (decision curves)").count() == 1
        assert visit.page.get_by_role("table", name="Guards and their evidence").count() == 1
    finally:
        visit.page.close()


def test_text_in_figures_is_large_enough_to_read_on_a_telephone(browser: Browser, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, "survival", TELEPHONE)
    try:
        smallest_px = visit.page.evaluate(
            """Math.min(...[...document.querySelectorAll('.drawing svg text')].map(node => {
                const drawn = node.getScreenCTM();
                return parseFloat(getComputedStyle(node).fontSize) * Math.hypot(drawn.a, drawn.b);
            }))"""
        )
        assert smallest_px >= 9
    finally:
        visit.page.close()


def test_keyboard_alone_reaches_the_answer_and_opens_the_list_of_the_excluded(browser: Browser, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, "strong", DESKTOP)
    try:
        visit.page.keyboard.press("Tab")
        assert visit.page.evaluate("document.activeElement.textContent") == "Skip to the answer"
        visit.page.locator("summary").first.focus()
        visit.page.keyboard.press("Enter")
        assert visit.page.get_by_role("table", name="Excluded patients").is_visible()
    finally:
        visit.page.close()


def test_on_paper_the_excluded_patients_are_printed_and_the_contents_are_not(browser: Browser, tmp_path: Path) -> None:
    visit = Visit(browser, tmp_path, "forty-exclusions", DESKTOP)
    try:
        assert not visit.page.get_by_text("STS_939", exact=True).is_visible()
        visit.page.emulate_media(media="print")
        assert visit.page.get_by_text("STS_939", exact=True).is_visible()
        assert not visit.page.get_by_role("navigation").is_visible()
        assert visit.page.pdf(prefer_css_page_size=True).startswith(b"%PDF")
    finally:
        visit.page.close()
