"""The Findings page, from a recording on the Compare page to a looped note."""

import re

import soundfile
from playwright.sync_api import Page, expect

from eval.homework.ladder import LADDER, RUNGS
from tests.browser.accessibility import violations
from tests.eval.metrics.test_note_stability import note

PLAYER = "document.querySelector('#findings-player .lab-player').labPlayer"


def test_findings_ask_for_a_recording_and_explain_it(page: Page, tmp_path):
    page.get_by_role("tab", name="Findings").click()
    expect(page).to_have_url(re.compile("#findings$"))
    page.go_back()
    expect(page.get_by_role("tab", name="Compare")).to_have_attribute("aria-selected", "true")
    page.go_forward()
    expect(page.get_by_role("tab", name="Findings")).to_have_attribute("aria-selected", "true")
    page.reload()
    expect(page.get_by_role("tab", name="Findings")).to_have_attribute("aria-selected", "true")
    explain = page.get_by_role("button", name="Explain with my recording")
    explain.click()
    expect(page.get_by_text("Give a recording first, on the Compare page")).to_be_visible()
    soundfile.write(tmp_path / "note.wav", note()[:33_075], 22_050)
    page.get_by_role("tab", name="Compare").click()
    page.locator("#recording input[type=file]").set_input_files(tmp_path / "note.wav")
    expect(page.locator("#recording .waveform-container")).to_be_visible()
    page.get_by_role("tab", name="Findings").click()
    explain.click()
    expect(page.locator("#findings-player")).to_contain_text(
        f"{len(RUNGS) + len(LADDER)} systems ready", timeout=90_000
    )
    for title in ("Why did Griffin-Lim win?", "Why is the pitch unsteady?", "loss smaller?", "two mels differ?"):
        expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.locator("#finding-mels img")).to_have_count(6)
    assert violations(page) == []
    page.locator("#finding-stability").get_by_role("button", name="HiFi-GAN, bridged").click()
    page.wait_for_function(f"{PLAYER}?.state.playing")
    state = page.evaluate(f"{PLAYER}.state")
    assert state["selected"] == "hifigan-original-bridged"
    start, stop = state["loop"]
    assert 0 <= start < stop <= 1.5


def test_a_number_leads_to_its_worst_second(page: Page, tmp_path):
    soundfile.write(tmp_path / "note.wav", note()[:33_075], 22_050)
    page.locator("#recording input[type=file]").set_input_files(tmp_path / "note.wav")
    expect(page.locator("#recording .waveform-container")).to_be_visible()
    for box in page.locator("#systems label").all():
        box.get_by_role("checkbox").set_checked(box.inner_text().strip() == "Griffin-Lim from the mel")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_role("link", name="Everything (zip)")).to_be_visible()
    page.get_by_role("button", name="where Griffin-Lim from the mel is worst in M-STFT").click()
    compare = PLAYER.replace("findings-player", "player")
    page.wait_for_function(f"{compare}?.state.playing")
    state = page.evaluate(f"{compare}.state")
    assert state["selected"] == "griffin-lim"
    assert 0.9 < state["loop"][1] - state["loop"][0] < 1.1
    page.get_by_text("Level and alignment").click()
    expect(page.get_by_role("columnheader", name="Delay")).to_be_visible()
