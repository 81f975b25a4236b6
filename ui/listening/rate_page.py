"""The rating page: a listening test in the browser, with nothing of the rest of the app around it.

The browser's half is in assets/listening/; the calls it makes are answered by ui/listening/rate_routes.py.
"""

from __future__ import annotations

import json

import gradio as gr

from common.paths import ASSETS
from ui.markup import head
from ui.theme import lab_theme

TITLE = "Listening test"
TEXTS = "booth"  # the key that Gradio's front end looks up in the language of the browser
# Gradio knows two kinds of Chinese and takes English for all others (zh-HK, zh-Hant, zh): those are looked after here.
# Relative imports would look beside Gradio's own script.
_MOUNT = """
const start = async () => {
  if (!props.value.startsWith('{')) return;   // still the key: the translations are not there yet
  const texts = JSON.parse(props.value);
  const chinese = texts.language === 'en' && /^zh\\b/i.test(navigator.language);
  const { mount } = await import(new URL('gradio_api/file=assets/listening/session.js', document.baseURI));
  mount(element.querySelector('.lab-booth'), chinese ? props.chinese : texts);
};
start();
watch('value', start);
"""
_STYLE = "assets/listening/listening.css"


def build_rate_page() -> gr.Blocks:
    """The page behind a study's link, which the modules of assets/listening/ fill."""
    gr.set_static_paths([*(ASSETS / "player").iterdir(), *(ASSETS / "listening").iterdir()])
    with gr.Blocks(title=TITLE, fill_width=False, analytics_enabled=False) as page:
        gr.HTML(
            value=_languages()(TEXTS),
            html_template='<div class="lab-booth"></div>',
            js_on_load=_MOUNT,
            head=head([_STYLE]),
            apply_default_css=False,
            padding=False,
            elem_id="booth",
            chinese=_texts("zh-TW"),
        )
    return page


def rate_page_options() -> dict:
    """Options for `gr.mount_gradio_app`."""
    return {
        "theme": lab_theme(),
        "head": head([_STYLE]),
        "i18n": _languages(),
        "footer_links": [],
        "run_history": False,
        "show_error": False,
        "ssr_mode": False,
        "enable_monitoring": False,
    }


def _texts(language: str) -> dict[str, str]:
    return json.loads((ASSETS / "listening" / f"{language}.json").read_text("utf-8"))


def _languages() -> gr.I18n:
    """All texts of a language under one key, as JSON. Traditional Chinese is nearer to zh-CN than English is."""
    languages = {"en": "en", "zh-TW": "zh-TW", "zh-CN": "zh-TW"}
    return gr.I18n(**{name: {TEXTS: json.dumps(_texts(source))} for name, source in languages.items()})
