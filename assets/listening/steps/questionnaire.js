// The questionnaire: the study's own questions, shown as they are. Those before the trials have to be answered, no other.

import { el } from '../../player/elements.js';
import { Choices, Foot, heading } from '../widgets.js';

/** @import { Question, QuestionnaireStep, StepView } from '../messages.js' */
/** @import { Session } from '../session.js' */
/** @typedef {{id: string, root: HTMLElement, read: () => string | null, enable: (enabled: boolean) => void}} Field */

const MAX_ANSWER_CHARS = 2000;   // of a written answer
const TITLES = { before: 'questionnaire.before', between: 'between.title', last: 'questionnaire.title' };
const BUTTONS = { before: 'questionnaire.next', between: 'trial.submit', last: 'questionnaire.submit' };

/** @implements {StepView} */
export class Questionnaire {
  /**
   * @param {Session} session
   * @param {QuestionnaireStep} step
   */
  constructor(session, { questions, required = false, between = false }) {
    const { words } = session;
    const place = required ? 'before' : between ? 'between' : 'last';
    this.session = session;
    this.words = words;
    this.required = required;
    this.heading = heading(words.say(TITLES[place]));
    this.fields = questions.map((question, index) => this.buildField(question, `booth-question-${index}`));
    this.foot = new Foot(words.say(BUTTONS[place]), () => this.submit());
    this.button = this.foot.button;
    this.root = el('div', 'booth-step', {}, this.heading,
      el('p', 'booth-text', { text: words.say(required ? 'questionnaire.why' : 'questionnaire.text') }), ...this.fields.map(({ root }) => root),
      this.foot.root);
    this.update();
  }

  /**
   * @param {Question} question
   * @param {string} name
   * @returns {Field}
   */
  buildField({ id, text, kind, choices }, name) {
    if (kind === 'choice') {
      const options = new Choices(name, text, choices.map((value) => ({ value, text: value })), () => this.update());
      options.root.dataset.kind = 'list';
      const root = el('div', 'booth-field', {},
        el('p', 'booth-question', { text, 'aria-hidden': 'true' }), options.root);
      return { id, root, read: () => options.value, enable: (enabled) => options.enable(enabled) };
    }
    const input = el('textarea', 'booth-input', { id: name, rows: 3, maxlength: MAX_ANSWER_CHARS });
    const root = el('div', 'booth-field', {}, el('label', 'booth-question', { for: name, text }), input);
    return { id, root, read: () => input.value.trim() || null, enable: (enabled) => { input.disabled = !enabled; } };
  }

  submit() {
    const { session, fields } = this;
    /** @type {Record<string, string>} */
    const answers = {};
    for (const { id, read } of fields) {
      const value = read();
      if (value !== null) answers[id] = value;
    }
    session.ask('questionnaire', { token: session.token, answers });
  }

  get missing() {
    const open = this.required && this.fields.some(({ read }) => read() === null);
    return open ? this.words.say('questionnaire.missing') : '';
  }

  update() {
    const { session, fields, foot, words } = this;
    fields.forEach(({ enable }) => enable(!session.busy));
    foot.render(this.missing, session.busy && words.say('trial.sending'));
  }
}
