"""The synchronized player: Python's half. The browser's half is in assets/player/."""

from __future__ import annotations

import gradio as gr

from ui.markup import head

STYLE = "assets/player/player.css"
REMEMBERED = "lab-comparison"  # the key of the browser's session storage for the session of the player's value
SHOWN = "document.querySelector('#player .lab-player')?.labPlayer?.value?.session ?? ''"  # JavaScript: that session
# Resolved by hand: in Gradio's own script a relative import would look beside that script. A value that comes while
# the module loads is in `props` by then.
_MOUNT = """
import(new URL('gradio_api/file=assets/player/player.js', document.baseURI)).then(({ mount }) => {
  const player = mount(element.querySelector('.lab-player'));
  const update = () => {
    player.update(props.value);
    REMEMBER
  };
  update();
  watch('value', update);
});
"""
_REMEMBER = f"""try {{
      if (props.value) sessionStorage.setItem('{REMEMBERED}', props.value.session);
    }} catch {{}}  // refused in some frames: then only a reload finds nothing"""


def player_component(element_id: str = "player", remembers: bool = False) -> gr.HTML:
    """The component. Its value is a dict as `eval.reports.player.value` makes it, or None for nothing.

    remembers: the browser's tab keeps the value's session, so that the page finds it when it is loaded anew.
    """
    return gr.HTML(
        html_template='<div class="lab-player"></div>',
        js_on_load=_MOUNT.replace("REMEMBER", _REMEMBER if remembers else ""),
        head=head([STYLE]),
        apply_default_css=False,
        elem_id=element_id,
        elem_classes="page-player",
    )
