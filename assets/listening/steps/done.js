// The ends of a session: thanks with a code, turned away, answers deleted, study closed, or no study at all.

import { el } from '../../player/elements.js';
import { heading, primary } from '../widgets.js';
import { privacyLink } from './privacy.js';
import { wayBack } from './way-back.js';
import { Withdraw } from './withdraw.js';

/** @import { DoneStep, EndStep, StepView, WayBack } from '../messages.js' */
/** @import { Session } from '../session.js' */

/** @implements {StepView} */
export class Done {
  /**
   * @param {Session} session
   * @param {DoneStep} step
   */
  constructor(session, step) {
    const { words } = session;
    this.heading = heading(words.say('done.title'));
    this.root = el('div', 'booth-step booth-end', {}, this.heading,
      el('p', 'booth-text', { text: words.say(step.url ? 'done.stored' : 'done.text') }), ...wayBack(session, step),
      el('div', '', {}, privacyLink(session)), new Withdraw(session, words.say('delete.after')).root);
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
   * @param {EndStep['step'] | 'error'} name
   * @param {{again?: boolean, code?: string}} problem
   * @param {WayBack} back
   */
  constructor(session, name, { again = false, code } = {}, back = {}) {
    const { words } = session;
    const known = code && words.has(`error.${code}`);
    const text = known ? `error.${code}` : name === 'error' ? 'error.other' : `${name}.text`;
    this.heading = heading(words.say(`${name}.title`));
    this.root = el('div', 'booth-step booth-end', {}, this.heading, el('p', 'booth-text', { text: words.say(text) }),
      ...wayBack(session, back), again && primary(words.say('error.reload'), () => session.open()));
  }

  update() {}
}
