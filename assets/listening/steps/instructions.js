// The instructions of a trial: as a page of their own before the first trial, and folded away on every trial.

import { el } from '../../player/elements.js';
import { taskOf } from '../tasks/registry.js';
import { Foot, heading } from '../widgets.js';

/** @import { InstructionsStep, StepView } from '../messages.js' */
/** @import { Session } from '../session.js' */
/** @import { Translations } from '../translations.js' */

/**
 * The instructions of a kind of trial, as a list; `attention` false: this study has no beeps.
 *
 * @param {Translations} words
 * @param {Pick<InstructionsStep, 'mode' | 'need' | 'attention' | 'restart_on_switch'>} step
 */
export function rules(words, { mode, need, attention = true, restart_on_switch: restarts = false }) {
  const listen = need ? words.say('instructions.listen', { need: Number(need.toFixed(1)) })
    : words.say('instructions.listen.plain');
  const lines = [words.say(`instructions.${mode}`), listen,
    taskOf(mode).compares && words.say(restarts ? 'instructions.restart' : 'instructions.switch')];
  return el('ul', 'booth-list', {}, ...lines.map((text) => text && el('li', '', { text })),
    attention && el('li', 'booth-beeps', {}, el('span', '', { text: words.say('instructions.beeps') }),
      words.say('sentence.separator'), el('strong', '', { text: words.say(`instructions.beeps.${mode}`) })));
}

/** @implements {StepView} */
export class Instructions {
  /**
   * @param {Session} session
   * @param {InstructionsStep} step
   */
  constructor(session, step) {
    const { words } = session;
    this.session = session;
    this.heading = heading(words.say('instructions.title'));
    this.foot = new Foot(words.say('instructions.start'), () => session.next('instructions'));
    this.button = this.foot.button;
    this.root = el('div', 'booth-step', {}, this.heading, rules(words, step),
      el('p', 'booth-text', { text: words.say('instructions.practice') }), this.foot.root);
    this.update();
  }

  update() {
    this.foot.render('', this.session.busy && this.session.words.say('trial.sending'));
  }
}
