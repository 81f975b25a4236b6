"""Every page of the app: nothing for axe to find, light and dark; nothing wider than the window at 200 % zoom; a focus that is seen
wherever it goes; with forced colours, controls that keep their shapes."""

from playwright.sync_api import Page, expect

from tests.browser.accessibility import focus_walk, violations, visible_share
from tests.browser.comparing import SHOWN

TABS = ("Compare", "Folders", "Findings", "Vocoders", "Train", "Blind tests", "Studies and results")
ZOOMED = {"width": 640, "height": 400}  # 1280 x 800 at 200 %


def open_tab(page: Page, name: str) -> None:
    tab = page.get_by_role("tab", name=name)
    tab.click()
    expect(tab).to_have_attribute("aria-selected", "true")


def test_axe_finds_nothing_on_any_page_light_and_dark(comparison_page: Page):
    page, found, widths = comparison_page, {}, set()
    for scheme in ("dark", "light"):  # as which the page is left
        page.emulate_media(color_scheme=scheme)
        page.reload()
        page.wait_for_function(f"{SHOWN}?.state.ready")
        expect(page.locator("body.dark")).to_have_count(int(scheme == "dark"))
        for tab in TABS:
            open_tab(page, tab)
            found[f"{tab}, {scheme}"] = violations(page)
            widths.add(page.locator("main").evaluate("e => e.clientWidth"))
    assert {name: rules for name, rules in found.items() if rules} == {}
    assert len(widths) == 1, "every tab is as wide as the others"


def test_at_twice_the_size_the_focus_is_seen_wherever_it_goes(comparison_page: Page):
    page, faults, stops = comparison_page, [], {}
    page.set_viewport_size(ZOOMED)
    page.reload()
    page.wait_for_function(f"{SHOWN}?.state.ready")
    for tab in TABS:
        open_tab(page, tab)
        assert page.evaluate("document.documentElement.scrollWidth") <= ZOOMED["width"], tab
        walk = focus_walk(page)
        stops[tab] = len(walk)
        faults += [(tab, stop) for stop in walk if not stop["seen"] or stop["covered"]]
    assert faults == []
    assert 40 < stops.pop("Compare") < 120
    assert all(6 < number < 60 for number in stops.values()), stops


def test_forced_colours_keep_the_shapes_of_controls(comparison_page: Page):
    page = comparison_page
    page.emulate_media(forced_colors="active")
    player = page.locator("#player")
    segments = {state: player.locator(f".lab-segment[aria-pressed={state}]").first for state in ("true", "false")}
    shapes = {
        "play": player.get_by_role("button", name="Play", exact=True),
        "help": player.get_by_role("button", name="Keyboard shortcuts"),
        "volume": player.get_by_role("slider", name="Volume"),
        "colours of the legend": player.locator(".lab-gradient").first,
        "pressed": segments["true"],
        "not pressed": segments["false"],
    }
    shares = {name: visible_share(shape) for name, shape in shapes.items()}
    assert min(shares.values()) > 0.01, shares
    pressed, other = (segment.evaluate("e => getComputedStyle(e).backgroundColor") for segment in segments.values())
    assert pressed != other
    audible, silent = (
        player.locator(f".lab-row{kind} .lab-lane").first for kind in (".lab-audible", ":not(.lab-audible)")
    )
    frames = [lane.evaluate("e => getComputedStyle(e, '::after').borderWidth") for lane in (audible, silent)]
    assert frames == ["2px", "0px"], "the row that sounds is framed"
