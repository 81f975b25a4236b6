"""Charts: where values lie, which ticks there are, and that text from people stays text."""

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.compare.intervals import Estimate
from eval.reports.charts import MAX_NAME_CHARS, START, STOP, cloud, rising_line, scatter, stacked_bars, strip_plot
from eval.reports.svg import Drawing, Scale, line

HOSTILE = "<script>\"'&"


def parsed(drawing: Drawing) -> ElementTree.Element:
    return ElementTree.fromstring(drawing.__html__())


def places(drawing: Drawing, shape: str, *names: str) -> list[tuple[float, ...]]:
    """Across in percent of the width, upright in pixels."""
    return [tuple(float(found.get(name).rstrip("%")) for name in names) for found in parsed(drawing).iter(shape)]


def test_a_scale_is_linear_and_may_point_upwards():
    up = Scale(-100, 100, 52, 2)
    assert (up(-100), up(0), up(100)) == (52, 27, 2)
    assert np.array_equal(up(np.array([-100, 50])), [52, 14.5])


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (-3, 2, [-3, -2, -1, 0, 1, 2]), (17, 58, [20, 30, 40, 50])],
)
def test_ticks_are_round(low, high, ticks):
    assert Scale.around([low, high], 0, 620).ticks() == pytest.approx(ticks)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6))
def test_there_are_some_ticks_and_all_lie_on_the_axis(low, span):
    scale = Scale.around([low, low + span], START, STOP)
    assert 2 <= len(scale.ticks()) <= 7
    assert all(START - 1e-6 <= scale(tick) <= STOP + 1e-6 for tick in scale.ticks())


def test_equal_values_lie_in_the_middle():
    assert Scale.around([3.0, 3.0], 0, 100)(3.0) == pytest.approx(50)
    assert Scale.around([0.0], 0, 100)(0.0) == pytest.approx(50)


def test_a_line_goes_from_point_to_point():
    assert line([(0, 1.26), (10, 2)]) == "M0.0 1.3L10.0 2.0"


def test_text_from_people_is_text_in_a_drawing():
    drawing = Drawing(10, 10, HOSTILE)
    drawing.add("text", HOSTILE, tooltip=HOSTILE, x=1)
    assert "<script>" not in drawing.__html__()
    picture = parsed(drawing)
    assert picture.get("aria-label") == picture.find("text").text == picture.find("text/title").text == HOSTILE


def test_a_strip_plot_has_a_dot_per_clip_and_the_mean_with_its_interval():
    values = {"a": {"one": 0.0, "two": 1.0}, "b": {"one": 0.5}}
    means = {"a": Estimate(0.5, 2, 0.25, 0.75), "b": None}
    chart = strip_plot("title", values, means, {"a": "A", "b": HOSTILE})
    (start, _), (end, _), (middle, _) = places(chart, "circle", "cx", "cy")
    assert middle == pytest.approx((start + end) / 2, abs=0.1)
    lines = [found.get("class") for found in parsed(chart).iter("line")]
    ends = places(chart, "line", "x1", "x2")
    interval, mean = lines.index("interval"), lines.index("mean")
    assert ends[mean] == pytest.approx((middle, middle), abs=0.1)
    assert ends[interval][1] - ends[interval][0] == pytest.approx((end - start) / 2, abs=0.1)
    interval = list(parsed(chart).iter("line"))[interval]
    assert interval.find("title").text == "mean 0.500, 95 % interval 0.250 to 0.750, n = 2"
    assert strip_plot("title", {"a": {}}, {"a": None}, {"a": "A"}) is None


def test_bars_are_divided_as_the_counts_are():
    chart = stacked_bars("title", {"row": (1, 0, 3), "nobody": (0, 0, 0)}, ("x", "y", "z"), ("red", "grey", "green"))
    bars = places(chart, "rect", "x", "width")[:6]
    assert bars[:3] == [(0, 25), (25, 0), (25, 75)]
    assert chart.legend == [("red", "x"), ("grey", "y"), ("green", "z")]
    assert [width for _, width in bars[3:]] == [0, 0, 0]
    assert [found.text for found in parsed(chart).iter("text") if found.get("class") == "inside"] == ["1", "3"]


def test_a_scatter_plot_is_logarithmic_across_and_points_upwards():
    chart = scatter(
        "title", {"a": (1, 0.1), "b": (10, 0.2), "c": (100, 0.3)}, {key: key.upper() for key in "abc"}, "x", "y"
    )
    (x1, y1), (x2, y2), (x3, y3) = places(chart, "circle", "cx", "cy")
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.2)
    assert y1 - y2 == pytest.approx(y2 - y3, abs=0.2)
    assert y1 > y3


def test_a_scatter_plot_numbers_its_points_as_its_legend_does():
    chart = scatter("title", {"a": (1, 0.1), "b": (10, 0.2)}, {"a": "A", "b": HOSTILE}, "x", "y")
    inside = [found.text for found in parsed(chart).iter("text") if found.get("class") == "inside"]
    assert inside == ["1", "2"]
    fills = [found.get("fill") for found in parsed(chart).iter("circle")]
    assert chart.legend == [(fills[0], "1 A"), (fills[1], f"2 {HOSTILE}")]


def test_a_cloud_has_a_dot_per_point_and_every_system_in_its_legend():
    points = [("a", "one", 1.0, 2.0), ("b", "one", 3.0, 4.0), ("a", "two", 2.0, 3.0)]
    chart = cloud("title", points, {"a": "A", "b": HOSTILE}, "x", "y")
    colours = [found.get("fill") for found in parsed(chart).iter("circle")]
    assert colours[0] == colours[2] != colours[1]
    assert chart.legend == [(colours[0], "A"), (colours[1], HOSTILE)]
    assert parsed(chart).findall("circle/title")[1].text == f"{HOSTILE}, one: 3, 4"
    assert (
        cloud("title", [], {}, "x", "y") is scatter("title", {}, {}, "x", "y") is stacked_bars("t", {}, (), ()) is None
    )


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("HiFi-GAN", ["HiFi-GAN"]),
        (
            "HiFi-GAN, own training, guided / HiFi-GAN, original",
            ["HiFi-GAN, own training, guided / HiFi-GAN,", "original"],
        ),
        ("x" * 100, ["x" * MAX_NAME_CHARS, "x" * MAX_NAME_CHARS, "x" * (100 - 2 * MAX_NAME_CHARS)]),
    ],
)
def test_the_whole_name_of_a_row_stands_above_it(title, lines):
    chart = strip_plot("", {"a": {"clip": 1.0}, "b": {"clip": 1.0}}, {}, {"a": title, "b": "B"})
    names = [found for found in parsed(chart).iter("text") if found.get("class") == "name"]
    assert [name.text for name in names] == [*lines, "B"]
    heights = [float(name.get("y")) for name in names]
    (first,), (second,) = places(chart, "circle", "cy")
    assert heights[len(lines) - 1] < first < heights[-1] - 12 < heights[-1] < second


def test_a_rising_line_has_its_words_above_its_plot():
    drawing = rising_line("Power", [(4.0, 0.2, 0.03), (64.0, 1.0, 0.0)], 0.8, "raters", "share of studies")
    found = {text.text: float(text.get("y")) for text in parsed(drawing).iter("text")}
    assert found["share of studies"] + 12 < found["1"]
