"""One tab that is used for long, and one with much in it: what a comparison leaves behind, and what a frame of the player costs.

python -m pytest tests/browser/test_long_use.py --proof -s
"""

import numpy as np
import pytest
import soundfile
from playwright.sync_api import CDPSession, Page, expect
from scipy.stats import theilslopes

from tests.browser.comparing import FAST, PLAYER, RATE, SAMPLES, compare

MAX_GROWTH_BYTES = 100_000  # of what JavaScript holds, per comparison
MAX_GROWTH_NODES = 20
TRACKS = 12
FRAMES = """async ({ seconds, act }) => {
  const player = document.querySelector('#player .lab-player').labPlayer;
  const acts = {
    zoom: (n) => player.zoomBy(n % 40 < 20 ? 1.1 : 1 / 1.1, 0.4 * player.duration),
    playhead: () => {},
  };
  if (act === 'playhead') { player.setLoop([0, player.duration]); player.transport.play(); }
  const began = performance.now();
  let frames = 0;
  while (performance.now() - began < 1000 * seconds) {
    await new Promise(requestAnimationFrame);
    acts[act](frames);
    frames += 1;
  }
  if (act === 'playhead') player.transport.pause();
  return { frames, seconds: (performance.now() - began) / 1000 };
}"""


@pytest.fixture
def proof(request) -> bool:
    return request.config.getoption("--proof")


def held(page: Page, devtools: CDPSession) -> tuple[float, int]:
    """Bytes that JavaScript holds, and nodes of the document, once what is not needed any more is gone."""
    devtools.send("HeapProfiler.collectGarbage")
    return devtools.send("Runtime.getHeapUsage")["usedSize"], devtools.send("Memory.getDOMCounters")["nodes"]


def test_comparison_after_comparison_leaves_nothing_in_the_tab(page, tmp_path, proof):
    """The slope is the median of all pairs', after a few comparisons that fill what is kept."""
    count, settled = (100, 10) if proof else (7, 2)
    soundfile.write(tmp_path / "clip.wav", SAMPLES, RATE)
    compare(page, tmp_path / "clip.wav", *FAST)
    devtools, found = page.context.new_cdp_session(page), []
    for _ in range(count):
        session = page.evaluate(f"{PLAYER}.value.session")
        page.get_by_role("button", name="Compare", exact=True).click()
        page.wait_for_function(
            f"before => {PLAYER}.value.session !== before && {PLAYER}.value.status.state === 'done' && {PLAYER}.settled",
            arg=session,
        )
        found.append(held(page, devtools))
    heap, nodes = (theilslopes(values[settled:]).slope for values in np.array(found, float).T)
    print(f"\n{count} comparisons in one tab: {heap / 1e3:+.1f} kB and {nodes:+.1f} nodes each")
    assert heap < MAX_GROWTH_BYTES
    assert nodes < MAX_GROWTH_NODES


def test_a_frame_of_a_full_player_is_cheap(page, tmp_path, proof):
    """Twelve systems: the work of the page's thread per frame, counted by the browser in processor time. In short, that
    zooming and playing draw at all, and that playing alone draws no picture anew."""
    seconds = 10.0
    soundfile.write(tmp_path / "clip.wav", np.tile(SAMPLES, 40)[: int(seconds * RATE)], RATE)
    compare(page, tmp_path / "clip.wav", *FAST)
    page.evaluate(
        """count => {
          const player = document.querySelector('#player .lab-player').labPlayer;
          const [reference, ...systems] = player.value.tracks;
          const tracks = [...Array(count).keys()].map((n) => ({ ...systems[n % systems.length], id: `copy-${n}` }));
          player.update({ ...player.value, tracks: [reference, ...tracks] });
        }""",
        TRACKS,
    )
    page.wait_for_function(f"() => {PLAYER}.sounds.length === {TRACKS + 1} && {PLAYER}.settled")
    expect(page.locator("#player .lab-row")).to_have_count(TRACKS + 1)
    page.evaluate(
        """() => {
          window.drawn = 0;
          const draw = CanvasRenderingContext2D.prototype.drawImage;
          CanvasRenderingContext2D.prototype.drawImage = function (...given) { window.drawn += 1; draw.apply(this, given); };
        }"""
    )
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})
    for act in ("zoom", "playhead"):
        before, drawn = task_seconds(devtools), page.evaluate("window.drawn")
        shown = page.evaluate(FRAMES, {"seconds": 10 if proof else 1, "act": act})
        cost = 1000 * (task_seconds(devtools) - before) / shown["frames"]
        drawn = page.evaluate("window.drawn") - drawn
        print(
            f"\n{act}: {shown['frames'] / shown['seconds']:.0f} frames a second, {cost:.1f} ms of the page's thread each"
        )
        assert shown["frames"] > 0
        if act == "zoom":
            assert 0 < drawn <= (TRACKS + 1) * (shown["frames"] + 1), "each row once per frame"
        else:
            assert drawn <= TRACKS + 1, "the playhead moves over pictures that stay"


def task_seconds(devtools: CDPSession) -> float:
    metrics = {metric["name"]: metric["value"] for metric in devtools.send("Performance.getMetrics")["metrics"]}
    return metrics["TaskDuration"]
