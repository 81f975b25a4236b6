"""The synchronized player: Python's half. The browser's half is in assets/player/."""

from __future__ import annotations

import gradio as gr

from ui.markup import head

STYLE = "assets/player/player.css"
# Resolved by hand: in Gradio's own script a relative import would look beside that script. A value that comes while
# the module loads is in `props` by then.
_MOUNT = """
import(new URL('gradio_api/file=assets/player/player.js', document.baseURI)).then(({ mount }) => {
  const player = mount(element.querySelector('.lab-player'));
  player.update(props.value);
  watch('value', () => player.update(props.value));
});
"""


def player_component(element_id: str = "player") -> gr.HTML:
    """The component. Its value is a dict as `player_value` makes it, or None for nothing."""
    return gr.HTML(
        html_template='<div class="lab-player"></div>',
        js_on_load=_MOUNT,
        head=head([STYLE]),
        apply_default_css=False,
        elem_id=element_id,
        elem_classes="page-player",
    )
