"""Templates: text is escaped, data that is missing is an error, and numbers are written in one way."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import UndefinedError

from common.templates import number, percent, render


@pytest.mark.parametrize(
    ("value", "digits", "sign", "text"),
    [
        (1.23456, 3, False, "1.235"),
        (-1.5, 1, False, "−1.5"),
        (-0.004, 2, False, "0.00"),
        (-0.004, 2, True, "+0.00"),
        (3, 0, True, "+3"),
        (None, 3, False, "n/a"),
        (math.nan, 3, False, "n/a"),
        (-math.inf, 1, False, "−∞"),
        (math.inf, 1, True, "+∞"),
    ],
)
def test_numbers_have_a_typographic_minus_and_no_negative_zero(value, digits, sign, text):
    assert number(value, digits, sign) == text


@given(st.floats(-1e6, 1e6), st.integers(0, 6))
def test_a_number_is_read_back_to_its_last_digit(value, digits):
    assert float(number(value, digits).replace("−", "-")) == pytest.approx(value, abs=0.500001 * 10**-digits)


def test_a_share_is_written_in_percent():
    assert (percent(0.126), percent(None)) == ("13%", "n/a")


def test_text_is_escaped_and_what_a_template_made_is_not_escaped_again():
    section = render("eval/reports/templates/study.html", name="<b>&", section="<i>")
    assert "<title>&lt;b&gt;&amp;</title>" in section
    assert "\n&lt;i&gt;</main>" in section
    assert "</h1>\n<!doctype html>" in render("eval/reports/templates/study.html", name="", section=section)


def test_data_that_a_template_is_not_given_is_an_error():
    with pytest.raises(UndefinedError, match="section"):
        render("eval/reports/templates/study.html", name="a study")
