// The way back to the site that sent a participant: a code to copy, and a link or a form. Nothing leaves by itself.

import { el, setText } from '../../player/elements.js';
import { button } from '../widgets.js';

/** @import { WayBack } from '../messages.js' */
/** @import { Session } from '../session.js' */

const COPIED_MS = 2000;   // that the button says so

/**
 * A code with a button that copies it.
 *
 * @param {Session} session
 * @param {string} code
 */
export function receipt(session, code) {
  const { words } = session;
  const shown = el('output', 'booth-code', { id: 'booth-code', text: code });
  /** @type {HTMLButtonElement} */
  const copy = button(words.say('done.copy'), async () => {
    getSelection()?.selectAllChildren(shown);   // where a browser forbids the clipboard, one more key copies
    await navigator.clipboard?.writeText(code).catch(() => {});
    setText(copy, words.say('done.copied'));
    session.announce(words.say('done.copied'));
    setTimeout(() => setText(copy, words.say('done.copy')), COPIED_MS);
  });
  return el('div', 'booth-receipt', {}, el('label', '', { for: 'booth-code', text: words.say('done.code') }),
    el('div', 'booth-receipt-row', {}, shown, copy));
}

/**
 * The code and the way out, as far as the platform has them.
 *
 * @param {Session} session
 * @param {WayBack} back
 */
export function wayBack(session, { code = '', url = '', host = '', fields = null }) {
  const { words } = session;
  if (session.isPreview && url) {   // named, so that the owner can check it, and not opened
    return [el('p', 'booth-text', { text: words.say('back.preview') }), el('p', 'booth-text', {}, el('code', '', { text: url })),
      code && receipt(session, code)];
  }
  const exit = url.startsWith('https://') && (fields
    ? el('form', 'booth-exit', { method: 'post', action: url },
      ...Object.entries(fields).map(([name, value]) => el('input', '', { type: 'hidden', name, value })),
      el('button', 'booth-button booth-primary', { type: 'submit', text: words.say('back.submit', { host }) }))
    : el('p', 'booth-exit', {}, el('a', 'booth-button booth-primary',
      { href: url, rel: 'noopener noreferrer', text: words.say('back.link', { host }) })));
  return [exit && el('p', 'booth-text', { text: words.say('back.text') }), code && receipt(session, code), exit];
}
