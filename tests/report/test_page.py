"""The page holds everything that the study found."""

import pytest
from tests.make.evaluation import STUDIES

from prognoscope.report import render


@pytest.mark.parametrize("study", STUDIES)
def test_two_renderings_of_one_content_are_equal_byte_for_byte(study: str) -> None:
    assert render(STUDIES[study]()).encode() == render(STUDIES[study]()).encode()
