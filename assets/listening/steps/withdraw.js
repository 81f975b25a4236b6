// Taking everything back: one button, one question, and all answers are gone.

import { el } from '../../player/elements.js';
import { button } from '../widgets.js';

/** @import { Session } from '../session.js' */

export class Withdraw {
  /**
   * @param {Session} session
   * @param {string} text of the button
   */
  constructor(session, text) {
    const { words } = session;
    this.ask = button(text, () => this.open(true), 'booth-link');
    this.no = button(words.say('delete.no'), () => this.open(false));
    this.sure = el('div', 'booth-notice booth-warning booth-sure', { role: 'group', hidden: '' },
      el('p', '', { text: words.say('delete.sure') }),
      el('div', 'booth-foot-buttons', {}, this.no,
        button(words.say('delete.yes'), () => session.forget(), 'booth-button booth-danger')));
    this.root = el('div', 'booth-withdraw', {}, this.ask, this.sure);
  }

  /** @param {boolean} open */
  open(open) {
    this.sure.hidden = !open;
    this.ask.hidden = open;
    (open ? this.no : this.ask).focus();
  }
}
