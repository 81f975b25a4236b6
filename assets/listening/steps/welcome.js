// Welcome: what this is about, what is stored, and consent before anything is.

import { el } from '../../player/elements.js';
import { Foot, heading } from '../widgets.js';
import { answersFor, privacyLink } from './privacy.js';

/** @import { StepView, WelcomeStep } from '../messages.js' */
/** @import { Session } from '../session.js' */

const TIPS = ['quiet', 'headphones', 'pause', 'honest'];
const DATA = ['stored', 'token', 'delete'];

/** @implements {StepView} */
export class Welcome {
  /**
   * @param {Session} session
   * @param {WelcomeStep} step
   */
  constructor(session, { study, durable, preview = false }) {
    const { words } = session;
    this.session = session;
    this.words = words;
    this.preview = preview;
    this.heading = heading(study.name);
    this.consent = el('input', 'booth-check', { type: 'checkbox', onchange: () => this.update() });
    this.foot = new Foot(words.say('welcome.start'), () => session.join());
    this.button = this.foot.button;
    const paragraph = (/** @type {string} */ text, className = 'booth-text') => text && el('p', className, { text });
    const list = (/** @type {string[]} */ keys) => el('ul', 'booth-list', {}, ...keys.map((key) => el('li', '', { text: words.say(key) })));
    this.root = el('div', 'booth-step', {}, this.heading,
      paragraph(words.say('welcome.facts', { trials: words.count('welcome.trials', study.trials),
        minutes: words.duration(study.minutes, 'minute') }), 'booth-facts'),
      !durable && el('p', 'booth-notice booth-warning', { role: 'note', text: words.say('welcome.durable') }),
      paragraph(study.about), paragraph(words.say(`welcome.what.${study.mode}`)),
      ...(study.owner ? [el('h2', 'booth-subtitle', { text: words.say('privacy.who') }),
        paragraph(answersFor(words, study))] : []),
      el('h2', 'booth-subtitle', { text: words.say('welcome.before') }),
      list(TIPS.map((tip) => `welcome.tip.${tip}`)),
      el('details', 'booth-details', { open: '' }, el('summary', '', { text: words.say('welcome.data') }),
        list(DATA.map((part) => `welcome.data.${part}`)), privacyLink(session)),
      el('label', 'booth-consent', {}, this.consent, el('span', '', { text: words.say('welcome.consent') })),
      this.foot.root);
    this.update();
  }

  update() {
    const { session, words } = this;
    if (this.preview) return void this.foot.render(words.say('welcome.accept'));
    this.foot.render(this.consent.checked ? '' : words.say('welcome.consent.missing'),
      session.busy && words.say('trial.sending'));
  }
}
