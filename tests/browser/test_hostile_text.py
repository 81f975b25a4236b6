"""Input of users is shown as text: names of studies and files, questions, what a checkpoint says of itself."""

import soundfile
import torch
from playwright.sync_api import Page, expect

from tests.conftest import harmonic_tone
from vocoders.audio import SAMPLE_RATE
from vocoders.checkpoints.checkpoint import Checkpoint, write_safetensors
from vocoders.hifigan.generator import Generator, HiFiGANConfig
from vocoders.mel import HW2

# Would run as HTML, as an attribute, as a script, or be computed by a template; an image that is none would also be asked for
HOSTILE = "\"'><img src=nowhere onerror=ran=1><script>ran=1</script>${7*7}{{7*7}}<svg onload=ran=1>&lt;b&gt;</code>"
NOTHING_RAN = "typeof window.ran === 'undefined' && !document.querySelector('[onerror], [onload], svg[onload]')"


def test_a_hostile_study_is_text_for_its_author_its_listeners_and_its_report(page: Page, tmp_path):
    soundfile.write(tmp_path / "{{7*7}}${7*7}.wav", harmonic_tone(1.6), SAMPLE_RATE)
    page.get_by_role("tab", name="Blind tests").click()
    page.get_by_label("Name, which listeners see").fill(HOSTILE)
    page.locator("#study-clips input[type=file]").set_input_files(list(tmp_path.iterdir()))
    page.locator("#study-systems").get_by_label("Griffin-Lim, oracle").check()
    page.get_by_role("button", name="Checks, questions, order").click()
    page.get_by_label("Information for listeners before they start").fill(HOSTILE)
    page.get_by_role("button", name="Make the study").click()
    made = page.locator("#study-made")
    expect(made.get_by_role("heading")).to_have_text(f"{HOSTILE} is ready", timeout=90_000)
    assert page.evaluate(NOTHING_RAN)
    study_id, key = made.locator("code").all_inner_texts()

    listener = page.context.new_page()
    listener.goto(made.locator("a.page-absolute").inner_text())
    expect(listener.get_by_role("heading", level=1)).to_have_text(HOSTILE)
    expect(listener.get_by_text(HOSTILE)).to_have_count(2)  # the name, and what is known before the start
    assert listener.evaluate(NOTHING_RAN)
    listener.close()

    page.get_by_role("tab", name="Results").click()
    page.get_by_label("Id of the study").fill(study_id)
    page.get_by_label("Key to its results").fill(key)
    page.get_by_role("button", name="Show the results").click()
    expect(page.locator("#results-found")).to_contain_text("0 raters started")
    assert page.evaluate(NOTHING_RAN)
    with page.expect_download() as download:
        page.get_by_role("link", name="Report").click()
    report = page.context.new_page()
    report.set_content(download.value.path().read_text(encoding="utf-8"))
    expect(report.get_by_role("heading", name=HOSTILE)).to_be_visible()
    assert report.evaluate(NOTHING_RAN)


def test_a_hostile_checkpoint_is_text_in_its_card(page: Page, tmp_path):
    config = HiFiGANConfig(2, (16, 16), (16, 16), 4, (3,), ((1, 2),))
    about = dict.fromkeys(("licence", "preset", "steps", "minutes", "hardware", "data", "revision", "curves"), HOSTILE)
    torch.manual_seed(0)
    path = tmp_path / "{{7*7}}.safetensors"
    write_safetensors(path, Checkpoint(config, HW2, Generator(config).state_dict(), about))
    page.get_by_role("tab", name="Vocoders").click()
    page.locator("#own-files input[type=file]").set_input_files(path)
    expect(page.locator("#own-found")).to_contain_text("77.safetensors")  # Gradio leaves braces out of names
    page.get_by_role("button", name="Add to the comparison").click()
    expect(page.locator("#own-message")).to_contain_text("is now among the systems")
    card = page.locator("#catalogue article").last
    expect(card).to_contain_text(HOSTILE)
    assert page.evaluate(NOTHING_RAN)
