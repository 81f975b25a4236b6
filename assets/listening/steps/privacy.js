// What is stored of a listener, for how long, who answers for it, and how to take it along or back.

import { el } from '../../player/elements.js';
import { button, heading, primary } from '../widgets.js';
import { Withdraw } from './withdraw.js';

/** @import { PrivacyStep, StepView } from '../messages.js' */
/** @import { Session } from '../session.js' */
/** @import { Translations } from '../translations.js' */

/** @implements {StepView} */
export class Privacy {
  /**
   * @param {Session} session
   * @param {PrivacyStep} step
   */
  constructor(session, step) {
    const { words } = session;
    this.session = session;
    this.heading = heading(words.say('privacy.title'));
    this.root = el('div', 'booth-step', {}, this.heading, el('p', 'booth-facts', { text: step.name }),
      ...this.section('privacy.what', ['welcome.data.stored', 'welcome.data.token',
        step.platform ? 'privacy.platform' : 'privacy.nobody'], step),
      ...this.section('privacy.long', [step.keep_days ? 'privacy.keep' : 'privacy.unlimited'], step),
      ...this.section('privacy.who', [], step, answersFor(words, step)),
      ...this.section('privacy.rights', ['welcome.data.delete', 'privacy.copies', 'privacy.export'], step),
      el('div', 'booth-foot-buttons', {}, this.isKnown && button(words.say('privacy.download'), () => this.download()),
        primary(words.say('privacy.back'), () => session.open())),
      this.isKnown && new Withdraw(session, words.say('delete.after')).root);
  }

  /** Whether there is something of this listener to take along. */
  get isKnown() {
    return Boolean(this.session.token) && !this.session.isPreview;
  }

  /**
   * @param {string} title
   * @param {string[]} lines
   * @param {PrivacyStep} step
   * @param {...string} others lines that are no text of the language file
   */
  section(title, lines, step, ...others) {
    const { words } = this.session;
    const values = { ...step, days: step.keep_days && words.duration(step.keep_days, 'day') };
    return [el('h2', 'booth-subtitle', { text: words.say(title) }),
      el('ul', 'booth-list', {}, ...[...lines.map((line) => words.say(line, values)), ...others]
        .map((text) => el('li', '', { text })))];
  }

  /** As a file of JSON. */
  async download() {
    const { server, token, study, words } = this.session;
    const mine = await server.call('mine', { token }).catch(() => null);
    if (!mine) return void this.session.announce(words.say('error.other'));
    const url = URL.createObjectURL(new Blob([JSON.stringify(mine, null, 2)], { type: 'application/json' }));
    el('a', '', { href: url, download: `listening-test-${study}.json` }).click();
    URL.revokeObjectURL(url);
  }

  update() {}
}

/**
 * Who answers for a study, and how to reach them.
 *
 * @param {Translations} words
 * @param {{owner?: string, contact?: string}} study
 */
export function answersFor(words, { owner = '', contact = '' }) {
  if (!owner) return words.say('privacy.unnamed');
  return contact ? words.say('privacy.owner', { owner, contact }) : owner;
}

/**
 * The way to that page.
 *
 * @param {Session} session
 */
export function privacyLink(session) {
  return button(session.words.say('privacy.open'), () => session.ask('privacy', { study: session.study }), 'booth-link');
}
