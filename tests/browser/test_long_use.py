"""One tab that is used for long, and one with much in it: what a comparison leaves behind, and what a frame of the player costs.

python -m pytest tests/browser/test_long_use.py --proof -s
"""

import numpy as np
import pytest
import soundfile
from playwright.sync_api import CDPSession, Page, expect
from scipy.stats import theilslopes

from tests.browser.comparing import FAST, PLAYER, RATE, SAMPLES, compare

MAX_GROWTH_BYTES = 100_000  # of JavaScript's heap per comparison; over a few, the compiler's part is larger
KINDS = ("AudioBuffer", "Float32Array", "ImageBitmap", "ImageData", "Map", "AbortController", "MutationObserver")
MAX_GROWTH_NODES = 50  # of the tab per comparison, with those that wait to be collected; over a few, these are most
MAX_GROWTH_ELEMENTS = 5  # in and out of the document, per comparison: a message more or less; a player's rows are tens
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


def counted(devtools: CDPSession, kind: str, condition: str = "true") -> int:
    """How many objects of a kind JavaScript can reach that fulfil a condition on `object`; what it cannot is collected first."""
    prototype = devtools.send("Runtime.evaluate", {"expression": f"{kind}.prototype", "objectGroup": "counted"})
    prototype_id = prototype["result"]["objectId"]
    kept = devtools.send("Runtime.queryObjects", {"prototypeObjectId": prototype_id, "objectGroup": "counted"})
    function = f"function () {{ return this.filter((object) => {condition}).length; }}"
    call = {"objectId": kept["objects"]["objectId"], "functionDeclaration": function}
    count = devtools.send("Runtime.callFunctionOn", {**call, "returnByValue": True})["result"]["value"]
    devtools.send("Runtime.releaseObjectGroup", {"objectGroup": "counted"})
    return count


def elements(page: Page, devtools: CDPSession) -> int:
    """In the document, and out of it but held by a script."""
    own = "Object.getOwnPropertyDescriptor(Node.prototype, 'isConnected').get.call(object)"  # prototypes are found, too
    is_element = "!Object.hasOwn(object, 'constructor')"
    loose = counted(devtools, "Element", f"{is_element} && !{own}")
    return loose + page.evaluate("document.querySelectorAll('*').length")


def test_comparison_after_comparison_leaves_nothing_in_the_tab(page, tmp_path, proof):
    """As many objects after as before, once a few comparisons have filled what is kept; over a hundred, hardly a byte more."""
    count, settled = (100, 10) if proof else (5, 2)
    soundfile.write(tmp_path / "clip.wav", SAMPLES, RATE)
    compare(page, tmp_path / "clip.wav", *FAST)
    devtools, objects, living, heap, nodes = page.context.new_cdp_session(page), [], [], [], []
    for _ in range(count):
        session = page.evaluate(f"{PLAYER}.value.session")
        page.get_by_role("button", name="Compare", exact=True).click()
        page.wait_for_function(
            f"before => {PLAYER}.value.session !== before && {PLAYER}.value.status.state === 'done' && {PLAYER}.settled",
            arg=session,
        )
        objects.append({kind: counted(devtools, kind) for kind in KINDS})
        living.append(elements(page, devtools))
        heap.append(devtools.send("Runtime.getHeapUsage")["usedSize"])
        nodes.append(devtools.send("Memory.getDOMCounters")["nodes"])
    slopes = (theilslopes(values[settled:]).slope for values in (living, heap, nodes))  # medians of all pairs'
    elements_slope, heap_slope, nodes_slope = slopes
    print(f"\n{count} comparisons in one tab: {heap_slope / 1e3:+.1f} kB, {nodes_slope:+.1f} nodes, {living} elements")
    assert objects[-1] == objects[settled]
    assert elements_slope < MAX_GROWTH_ELEMENTS
    assert not proof or (heap_slope < MAX_GROWTH_BYTES and nodes_slope < MAX_GROWTH_NODES)


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
