// The answer controls, one per kind of trial. Each has a node, the answer (null while it is incomplete), what is
// missing, and the keys it understands.

import { el, setAttribute, setText } from '../player/elements.js';
import { clamp } from '../player/numbers.js';
import { Choices } from './widgets.js';

/** @import { Answer, Mode, TrialStep } from './messages.js' */
/** @import { Translations } from './translations.js' */
/**
 * @typedef {object} Scale
 * @property {HTMLElement} [root]
 * @property {(HTMLElement | null)[]} [beside] a node per slot, in its row
 * @property {HTMLElement} [top] above all rows
 * @property {Answer | null} answer null while it is incomplete
 * @property {string} missing what is, as a sentence
 * @property {(name: string, event: KeyboardEvent, slot: number) => boolean} key whether it has a use for the key
 * @property {(enabled: boolean) => void} enable
 */

const MIDDLE = 50;   // where an untouched slider begins when a key moves it

/**
 * ITU-T P.800: five categories.
 *
 * @implements {Scale}
 */
class CategoryScale {
  /**
   * @param {Translations} words
   * @param {string} title
   * @param {() => void} onchange
   */
  constructor(words, title, onchange) {
    const options = [5, 4, 3, 2, 1].map((value) => ({ value, mark: String(value), text: words.say(`acr.${value}`) }));
    this.choices = new Choices('booth-answer', title, options, onchange);
    this.root = this.choices.root;
    this.root.dataset.kind = 'acr';
    this.words = words;
    this.onchange = onchange;
  }

  get answer() {
    const { value } = this.choices;
    return value === null ? null : Number(value);
  }

  get missing() { return this.answer === null ? this.words.say('missing.answer') : ''; }

  /** @param {string} name */
  key(name) {
    if (!/^[1-5]$/.test(name)) return false;
    this.choices.set(name);
    this.onchange();
    return true;
  }

  /** @param {boolean} enabled */
  enable(enabled) { this.choices.enable(enabled); }
}

/**
 * One of a few: which take is preferred, or which one X is.
 *
 * @implements {Scale}
 */
class ChoiceScale {
  /**
   * @param {Translations} words
   * @param {string} title
   * @param {() => void} onchange
   * @param {Mode} mode
   */
  constructor(words, title, onchange, mode) {
    /** @type {Record<string, string>} */
    this.keys = mode === 'ab' ? { a: 'a', s: 'same', b: 'b' } : { a: 'a', b: 'b' };
    const options = Object.values(this.keys).map((value) => ({ value, text: words.say(`${mode}.${value}`) }));
    this.choices = new Choices('booth-answer', title, options, onchange);
    this.root = this.choices.root;
    this.root.dataset.kind = mode;
    this.words = words;
    this.onchange = onchange;
  }

  get answer() { return this.choices.value; }
  get missing() { return this.answer === null ? this.words.say('missing.answer') : ''; }

  /**
   * @param {string} name
   * @param {KeyboardEvent} event
   */
  key(name, { shiftKey }) {
    if (!shiftKey || !(name in this.keys)) return false;
    this.choices.set(this.keys[name]);
    this.onchange();
    return true;
  }

  /** @param {boolean} enabled */
  enable(enabled) { this.choices.enable(enabled); }
}

/** A rating from 0 to 100 that begins as none at all: a thumb in the middle would be an answer nobody gave. */
class Slider {
  /** @type {number | null} */
  value = null;

  /**
   * @param {Translations} words
   * @param {string} label of the slot
   * @param {() => void} onchange
   */
  constructor(words, label, onchange) {
    this.words = words;
    this.onchange = onchange;
    const touch = () => this.set(Number(this.input.value));
    /** @type {HTMLInputElement} */
    this.input = el('input', 'booth-slider', { type: 'range', min: 0, max: 100, step: 1, value: MIDDLE,
      'aria-label': words.say('mushra.slider', { label }), oninput: touch, onclick: touch });
    this.number = el('span', 'booth-value-number');
    this.word = el('span', 'booth-value-word');
    this.root = el('div', 'booth-rating', {}, el('div', 'booth-bands', {}, this.input),
      el('div', 'booth-value', { 'aria-hidden': 'true' }, this.number, this.word));
    this.render();
  }

  /** @param {number} value */
  set(value) {
    this.value = clamp(value, 0, 100);
    this.input.value = String(this.value);
    this.render();
    this.onchange();
  }

  render() {
    const { words, value } = this;
    const unset = value === null;
    const word = value === null ? '' : words.say(`acr.${Math.min(5, Math.floor(value / 20) + 1)}`);
    this.root.classList.toggle('booth-unset', unset);
    this.root.style.setProperty('--booth-part', String((value ?? 0) / 100));
    const spoken = unset ? words.say('mushra.unset') : words.say('mushra.value', { value, word });
    setAttribute(this.input, 'aria-valuetext', spoken);
    setText(this.number, unset ? '' : String(value));
    setText(this.word, unset ? words.say('mushra.unset.short') : word);
  }
}

/**
 * ITU-R BS.1534: every take against the reference, which is the first slot.
 *
 * @implements {Scale}
 */
class ContinuousScale {
  /**
   * @param {Translations} words
   * @param {string[]} labels
   * @param {() => void} onchange
   */
  constructor(words, labels, onchange) {
    this.words = words;
    this.labels = labels;
    this.sliders = labels.map((label) => new Slider(words, label, onchange));
    this.beside = [null, ...this.sliders.map(({ root }) => root)];
    this.top = el('div', 'booth-scale', { 'aria-hidden': 'true' }, el('div', 'booth-scale-words', {},
      ...[1, 2, 3, 4, 5].map((step) => el('span', '', { text: words.say(`acr.${step}`) }))));
  }

  get answer() {
    const values = this.sliders.map(({ value }) => value);
    return values.every((value) => value !== null) ? values : null;
  }

  get missing() {
    const labels = this.labels.filter((label, index) => this.sliders[index].value === null);
    return labels.length ? this.words.say('missing.rate', { labels: this.words.list(labels) }) : '';
  }

  /**
   * Moves the slider of the slot that is heard.
   *
   * @param {string} name
   * @param {KeyboardEvent} event
   * @param {number} slot
   */
  key(name, event, slot) {
    const slider = this.sliders[slot - 1];
    const from = slider?.value ?? MIDDLE;
    /** @type {Record<string, number>} */
    const moves = { arrowup: from + 1, arrowdown: from - 1, pageup: from + 10, pagedown: from - 10, home: 0, end: 100 };
    const to = moves[name];
    if (!slider || to === undefined) return false;
    slider.set(to);
    return true;
  }

  /** @param {boolean} enabled */
  enable(enabled) {
    for (const { input } of this.sliders) input.disabled = !enabled;
  }
}

/**
 * @param {Translations} words
 * @param {TrialStep} step
 * @param {string} title
 * @param {() => void} onchange
 * @returns {Scale}
 */
export function scaleFor(words, { mode, slots }, title, onchange) {
  if (mode === 'acr') return new CategoryScale(words, title, onchange);
  if (mode !== 'mushra') return new ChoiceScale(words, title, onchange, mode);
  return new ContinuousScale(words, slots.slice(1).map(({ label }) => label), onchange);
}
