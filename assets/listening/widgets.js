// The parts that several steps are built from.

import { el, setText } from '../player/elements.js';

/** @import { Child } from '../player/elements.js' */
/** @import { Translations } from './translations.js' */

/** A step's heading takes the focus when the step appears: a screen reader begins there, and Space is free to play. @param {string} text */
export function heading(text) {
  return el('h1', 'booth-title', { tabindex: -1, text });
}

/**
 * @param {string} text
 * @param {() => void} onclick
 */
export function button(text, onclick, className = 'booth-button') {
  return el('button', className, { type: 'button', text, onclick });
}

/**
 * @param {string} text
 * @param {() => void} onclick
 */
export function primary(text, onclick) {
  return button(text, onclick, 'booth-button booth-primary');
}

/** The lower end of a step: what is missing, and the button that goes on. */
export class Foot {
  /**
   * @param {string} text of the button
   * @param {() => void} onclick
   * @param {...HTMLButtonElement} others
   */
  constructor(text, onclick, ...others) {
    this.text = text;
    this.missing = el('p', 'booth-missing', { id: 'booth-missing' });
    this.button = primary(text, onclick);
    this.button.setAttribute('aria-describedby', 'booth-missing');
    this.root = el('div', 'booth-foot', {}, this.missing, el('div', 'booth-foot-buttons', {}, ...others, this.button));
  }

  /**
   * @param {string} missing a sentence, or '' when the listener may go on
   * @param {string | false} busy a word while an answer is on its way
   */
  render(missing, busy = '') {
    setText(this.missing, busy ? '' : missing);
    setText(this.button, busy || this.text);
    this.button.disabled = Boolean(missing || busy);
  }
}

/**
 * The keys of a step.
 *
 * @param {Translations} words
 * @param {[keys: string[], what: string][]} rows
 */
export function legend(words, rows) {
  return el('dl', 'booth-keys', { 'aria-label': words.say('keys.title') }, ...rows.map(([keys, what]) =>
    el('div', 'booth-keys-row', {}, el('dt', '', {}, ...keys.map((text) => el('kbd', 'booth-kbd', { text }))),
      el('dd', '', { text: what }))));
}

/** Radio buttons as cards. */
export class Choices {
  /**
   * @param {string} name
   * @param {string} label
   * @param {{value: string | number, text: string, mark?: string}[]} options `mark` is drawn large
   * @param {(value: string | number) => void} onchange
   */
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

  /** @param {string | number | null} value */
  set(value) {
    for (const input of this.inputs) input.checked = value !== null && input.value === String(value);
  }

  /** @param {boolean} enabled */
  enable(enabled) {
    for (const input of this.inputs) input.disabled = !enabled;
  }
}
