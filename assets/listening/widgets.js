// The parts that several steps are built from.

import { el, setText } from '../player/elements.js';

/** A step's heading takes the focus when the step appears: a screen reader begins there, and Space is free to play. */
export function heading(text) {
  return el('h1', 'booth-title', { tabindex: -1, text });
}

export function button(text, onclick, className = 'booth-button') {
  return el('button', className, { type: 'button', text, onclick });
}

export function primary(text, onclick) {
  return button(text, onclick, 'booth-button booth-primary');
}

/** The lower end of a step: what is missing, and the button that goes on. */
export class Foot {
  constructor(text, onclick, ...others) {
    this.text = text;
    this.missing = el('p', 'booth-missing', { id: 'booth-missing' });
    this.button = primary(text, onclick);
    this.button.setAttribute('aria-describedby', 'booth-missing');
    this.root = el('div', 'booth-foot', {}, this.missing, el('div', 'booth-foot-buttons', {}, ...others, this.button));
  }

  /** `missing`: a sentence, or '' when the listener may go on. */
  render(missing, busy = '') {
    setText(this.missing, busy ? '' : missing);
    setText(this.button, busy || this.text);
    this.button.disabled = Boolean(missing || busy);
  }
}

/** The keys of a step: [[keys, what], ...]; a key is text. */
export function legend(words, rows) {
  return el('dl', 'booth-keys', { 'aria-label': words.say('keys.title') }, ...rows.map(([keys, what]) =>
    el('div', 'booth-keys-row', {}, el('dt', '', {}, ...keys.map((text) => el('kbd', 'booth-kbd', { text }))),
      el('dd', '', { text: what }))));
}

/** Radio buttons as cards: options [{value, text, mark}]; `mark` is drawn large. */
export class Choices {
  constructor(name, label, options, onchange) {
    this.inputs = options.map(({ value }) => el('input', 'booth-radio', { type: 'radio', name, value,
      onchange: () => onchange(value) }));
    this.root = el('div', 'booth-choices', { role: 'radiogroup', 'aria-label': label }, ...options.map(
      ({ text, mark }, index) => el('label', 'booth-choice', {}, this.inputs[index],
        mark && el('span', 'booth-choice-mark', { text: mark, 'aria-hidden': 'true' }),
        el('span', 'booth-choice-text', { text }))));
  }

  get value() {
    return this.inputs.find((input) => input.checked)?.value ?? null;
  }

  set(value) {
    for (const input of this.inputs) input.checked = value !== null && input.value === String(value);
  }

  enable(enabled) {
    for (const input of this.inputs) input.disabled = !enabled;
  }
}
