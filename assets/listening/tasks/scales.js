// The answer controls that kinds of trials are built from: one of several choices, and a slider for every stimulus.

import { el, setAttribute, setText } from '../../player/elements.js';
import { clamp } from '../../player/numbers.js';
import { Choices } from '../widgets.js';

/** @import { Answer, Slot } from '../messages.js' */
/** @import { Scale } from './registry.js' */
/** @import { Translations } from '../translations.js' */

const INITIAL_RATING = 50;   // where an untouched slider begins when a key moves it

/**
 * @typedef {object} Choice
 * @property {string | number} value the answer
 * @property {string} key that chooses it
 * @property {string} text
 * @property {string} [mark] drawn large
 */

/**
 * One of several answers.
 *
 * @implements {Scale}
 */
export class ChoiceScale {
  /**
   * @param {Translations} words
   * @param {string} title
   * @param {() => void} onchange
   * @param {{options: Choice[], shifted?: boolean, layout?: 'sides' | 'categories'}} form `shifted`: keys count with
   *   Shift only; `layout`: side by side, or in a column where the screen is narrow
   */
  constructor(words, title, onchange, { options, shifted = false, layout = 'sides' }) {
    this.choices = new Choices('booth-answer', title, options, onchange);
    this.root = this.choices.root;
    this.root.dataset.kind = layout;
    this.words = words;
    this.onchange = onchange;
    this.options = options;
    this.shifted = shifted;
  }

  get answer() {
    return this.options.find(({ value }) => String(value) === this.choices.value)?.value ?? null;
  }

  get entered() { return this.answer; }

  set entered(value) {
    this.choices.set(this.options.find((option) => option.value === value)?.value ?? null);
  }

  get missing() { return this.answer === null ? this.words.say('missing.answer') : ''; }

  /**
   * @param {string} name
   * @param {KeyboardEvent} event
   */
  key(name, { shiftKey }) {
    const option = this.shifted && !shiftKey ? undefined : this.options.find(({ key }) => key === name);
    if (!option) return false;
    this.choices.set(option.value);
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
    this.label = label;
    this.onchange = onchange;
    const touch = () => this.set(Number(this.input.value));
    /** @type {HTMLInputElement} */
    this.input = el('input', 'booth-slider', { type: 'range', min: 0, max: 100, step: 1, value: INITIAL_RATING,
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
 * The keys of sliders.
 *
 * @param {Translations} words
 * @returns {[keys: string[], text: string][]}
 */
export function sliderKeys(words) {
  return [[['↑', '↓'], 'keys.rate'], [[words.say('keys.name.pages')], 'keys.rate.ten'],
    [[words.say('keys.name.ends')], 'keys.rate.ends']];
}

/**
 * A rating of every stimulus; the reference and open anchors have none.
 *
 * @implements {Scale}
 */
export class SliderScale {
  /**
   * @param {Translations} words
   * @param {Slot[]} slots
   * @param {() => void} onchange
   */
  constructor(words, slots, onchange) {
    this.words = words;
    /** By slot. */
    this.sliders = slots.map(({ role, label }) => role === 'take' ? new Slider(words, label, onchange) : null);
    this.beside = this.sliders.map((slider) => slider?.root ?? null);
    this.top = el('div', 'booth-scale', { 'aria-hidden': 'true' }, el('div', 'booth-scale-words', {},
      ...[1, 2, 3, 4, 5].map((step) => el('span', '', { text: words.say(`acr.${step}`) }))));
  }

  /** Of all stimuli. @returns {number[] | null} */
  get answers() {
    const values = this.sliders.flatMap((slider) => slider ? [slider.value] : []);
    return values.every((value) => value !== null) ? values : null;
  }

  /** @returns {Answer | null} */
  get answer() { return this.answers; }

  /** A value or null per stimulus. @returns {unknown} */
  get entered() { return this.sliders.flatMap((slider) => slider ? [slider.value] : []); }

  set entered(values) {
    this.sliders.filter((slider) => slider !== null).forEach((slider, place) => {
      const value = Array.isArray(values) ? values[place] : null;
      if (Number.isInteger(value)) slider.set(value);
    });
  }

  get missing() {
    const labels = this.sliders.flatMap((slider) => slider?.value === null ? [slider.label] : []);
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
    const slider = this.sliders[slot];
    const from = slider?.value ?? INITIAL_RATING;
    /** @type {Record<string, number>} */
    const moves = { arrowup: from + 1, arrowdown: from - 1, pageup: from + 10, pagedown: from - 10, home: 0, end: 100 };
    const to = moves[name];
    if (!slider || to === undefined) return false;
    slider.set(to);
    return true;
  }

  /**
   * @param {boolean} enabled
   * @param {number | null} [only] the slot whose slider moves
   */
  enable(enabled, only = null) {
    this.sliders.forEach((slider, slot) => {
      if (slider) slider.input.disabled = !enabled || (only !== null && only !== slot);
    });
  }
}
