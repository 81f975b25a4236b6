"""What the tests ask of any page: what axe finds in it, whether a text is cut or a focus is seen, whether a picture shows anything."""

from __future__ import annotations

import io
from collections import Counter

from axe_playwright_python.base import AXE_SCRIPT
from PIL import Image
from playwright.sync_api import Locator, Page, expect

# What the element with the focus and what holds it look like, with the focus and without. Null when the keyboard has left the page.
_FOCUS = """() => {
  const control = document.activeElement;
  if (control === document.body) return null;
  const look = () => [control, control.parentElement, control.closest('label')].filter(Boolean).map((element) => {
    const { outlineStyle, outlineWidth, outlineColor, boxShadow, borderColor, backgroundColor } = getComputedStyle(element);
    const outline = outlineStyle === 'none' || outlineWidth === '0px' ? '' : `${outlineStyle} ${outlineColor}`;
    return [outline, boxShadow, borderColor, backgroundColor].join();
  }).join();
  const { left, top, width, height } = control.getBoundingClientRect();
  const hit = document.elementFromPoint(left + width / 2, top + height / 2);
  const covered = width && height && !control.contains(hit) && !hit?.contains(control) && !control.labels?.[0]?.contains(hit);
  const focused = look();
  control.blur();
  const seen = look() !== focused;
  control.focus();
  return { what: control.outerHTML.slice(0, 200), seen, covered };
}"""
_BEGIN = """() => {
  const root = document.documentElement;
  root.tabIndex = -1;
  root.focus();
  root.removeAttribute('tabindex');
}"""
# Texts that reach out of their field, or of which a box that hides what does not fit shows a part only, and labels of fields that lie over what is in the field.
# Rows of the player and long names end in an ellipsis on purpose.
_CUT = """() => {
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const holder = text.parentElement;
    if (!text.data.trim() || !holder.checkVisibility() || holder.closest('.lab-row, .page-sr, svg, option, [aria-hidden=true]')) continue;
    const range = document.createRange();
    range.selectNodeContents(text);
    const { left, right } = range.getBoundingClientRect();
    for (let box = holder; box !== document.body; box = box.parentElement) {
      const { overflowX, clipPath, position } = getComputedStyle(box);
      if (clipPath !== 'none' || position === 'fixed' || box.matches('.page-table-scroll, .scroll, .chart, table, pre')) break;
      const outer = box.getBoundingClientRect();
      if ((box.matches('.block') || overflowX !== 'visible') && (right > outer.right + 1 || left < outer.left - 1)) {
        found.push(text.data.trim());
        break;
      }
    }
  }
  for (const label of document.querySelectorAll('[data-testid=block-label]')) {
    const below = label.checkVisibility() && label.parentElement.querySelector('button svg')?.getBoundingClientRect();
    const { right, bottom } = label.getBoundingClientRect();
    if (below && below.width && right > below.left && bottom > below.top + 1) found.push(`over its field: ${label.textContent.trim()}`);
  }
  return found;
}"""
_NESTED = ".icon-button:has(input[type=file])"  # Gradio puts the field for more files inside a button; the keyboard reaches it
_STILL = """() => {  // a colour on its way to another one is neither
  const style = document.createElement('style');
  style.textContent = '* { transition: none !important; animation: none !important; }';
  document.head.append(style);
}"""


def violations(page: Page) -> list[tuple[str, list[str]]]:
    """(rule, the HTML of what breaks it)"""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
        page.evaluate(_STILL)
    found = page.evaluate(
        "(nested) => axe.run({exclude: [nested]}, {resultTypes: ['violations'], preload: false})", _NESTED
    )
    expect(page.locator("[aria-label^='common.']")).to_have_count(0)  # keys of texts instead of texts
    return [(rule["id"], [node["html"][:300] for node in rule["nodes"]]) for rule in found["violations"]]


def violations_without_scripts(page: Page) -> list[tuple[str, list[str]]]:
    """As `violations`, of a page that runs no scripts and has its styles inside: of a copy that does run them."""
    copy = page.context.new_page()
    copy.set_content(page.content())
    found = violations(copy)
    copy.close()
    return found


def cut_texts(page: Page) -> list[str]:
    """What cannot be read because its box is too narrow."""
    return page.evaluate(_CUT)


def focus_walk(page: Page, max_stops: int = 200) -> list[dict]:
    """Each stop of the Tab key, from the beginning of the page to its end: what it is, whether its focus is seen, whether something
    lies over it."""
    page.evaluate(_STILL)
    page.evaluate(_BEGIN)
    stops: list[dict] = []
    while len(stops) < max_stops:
        page.keyboard.press("Tab")
        if (stop := page.evaluate(_FOCUS)) is None:
            break
        stops.append(stop)
    return stops


def visible_share(control: Locator) -> float:
    """Of its picture, the part whose colour has a contrast of 3 to 1, which WCAG asks of controls, to the commonest colour; 0 to 1."""
    pixels = Counter(Image.open(io.BytesIO(control.screenshot())).convert("RGB").getdata())
    (background, _), *_ = pixels.most_common(1)
    return sum(count for colour, count in pixels.items() if _contrast(background, colour) >= 3) / pixels.total()


def _contrast(one: tuple[int, ...], other: tuple[int, ...]) -> float:
    """WCAG 2's ratio of relative luminances."""
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: tuple[int, ...]) -> float:
    linear = [(v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4) for v in (c / 255 for c in colour)]
    return sum(weight * value for weight, value in zip((0.2126, 0.7152, 0.0722), linear))
