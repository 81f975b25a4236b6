// The ends of a session: thanks with a code, answers deleted, study closed, or no study at all.

import { el, setText } from '../../player/elements.js';
import { button, heading, primary } from '../widgets.js';
import { Withdraw } from './withdraw.js';

/** @import { DoneStep, StepView } from '../messages.js' */
/** @import { Session } from '../session.js' */

const COPIED_MS = 2000;   // that the button says so

/** @implements {StepView} */
export class Done {
  /**
   * @param {Session} session
   * @param {DoneStep} step
   */
  constructor(session, { code }) {
    const { words } = session;
    this.heading = heading(words.say('done.title'));
    this.code = el('output', 'booth-code', { id: 'booth-code', text: code });
    /** @type {HTMLButtonElement} */
    const copy = button(words.say('done.copy'), async () => {
      await this.copy(code);
      setText(copy, words.say('done.copied'));
      session.announce(words.say('done.copied'));
      setTimeout(() => setText(copy, words.say('done.copy')), COPIED_MS);
    });
    this.root = el('div', 'booth-step booth-end', {}, this.heading,
      el('p', 'booth-text', { text: words.say('done.text') }),
      el('div', 'booth-receipt', {}, el('label', '', { for: 'booth-code', text: words.say('done.code') }),
        el('div', 'booth-receipt-row', {}, this.code, copy)),
      new Withdraw(session, words.say('delete.after')).root);
  }

  /** Selected as well: where a browser forbids the clipboard, one more key copies. @param {string} code */
  copy(code) {
    getSelection()?.selectAllChildren(this.code);
    return navigator.clipboard?.writeText(code).catch(() => {});
  }

  update() {}
}

/**
 * A page with nothing to do: a heading, a sentence, perhaps a way on.
 *
 * @implements {StepView}
 */
export class Notice {
  /**
   * @param {Session} session
   * @param {'closed' | 'forgotten' | 'error'} name
   * @param {{again?: boolean, code?: string}} problem
   */
  constructor(session, name, { again = false, code } = {}) {
    const { words } = session;
    const known = code && words.has(`error.${code}`);
    const text = known ? `error.${code}` : name === 'error' ? 'error.other' : `${name}.text`;
    this.heading = heading(words.say(`${name}.title`));
    this.root = el('div', 'booth-step booth-end', {}, this.heading, el('p', 'booth-text', { text: words.say(text) }),
      again && primary(words.say('error.reload'), () => session.open()));
  }

  update() {}
}
