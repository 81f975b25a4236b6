// Best-worst scaling: the best and the worst of a set. Each stimulus has one button for either.

import { el, setAttribute } from '../../player/elements.js';

/** @import { Slot } from '../messages.js' */
/** @import { Scale, Task } from './registry.js' */
/** @import { Translations } from '../translations.js' */

const ENDS = /** @type {const} */ (['best', 'worst']);
const KEYS = { b: 'best', w: 'worst' };

/** @implements {Scale} */
class ExtremesScale {
  /** Slots. @type {{best: number | null, worst: number | null}} */
  chosen = { best: null, worst: null };

  /**
   * @param {Translations} words
   * @param {Slot[]} slots
   * @param {() => void} onchange
   */
  constructor(words, slots, onchange) {
    this.words = words;
    this.onchange = onchange;
    this.buttons = slots.map(({ label }, slot) => ENDS.map((end) => el('button', 'booth-button booth-extreme', {
      type: 'button', 'data-end': end, 'aria-pressed': 'false', text: words.say(`bws.${end}`),
      'aria-label': words.say(`bws.${end}.of`, { label }), onclick: () => this.choose(end, slot) })));
    this.beside = this.buttons.map((pair) => el('div', 'booth-extremes', {}, ...pair));
  }

  /** One stimulus is not both. @param {'best' | 'worst'} end @param {number} slot */
  choose(end, slot) {
    const other = end === 'best' ? 'worst' : 'best';
    if (this.chosen[other] === slot) this.chosen[other] = null;
    this.chosen[end] = slot;
    this.buttons.forEach((pair, row) => pair.forEach((node, place) =>
      setAttribute(node, 'aria-pressed', this.chosen[ENDS[place]] === row)));
    this.onchange();
  }

  get answer() {
    const { best, worst } = this.chosen;
    return best === null || worst === null ? null : [best, worst];
  }

  /** The slots of the best and of the worst, null where none is chosen. @returns {unknown} */
  get entered() { return ENDS.map((end) => this.chosen[end]); }

  set entered(slots) {
    ENDS.forEach((end, place) => {
      const slot = Array.isArray(slots) ? slots[place] : null;
      if (Number.isInteger(slot) && slot in this.buttons) this.choose(end, slot);
    });
  }

  get missing() {
    const { words, chosen } = this;
    return ENDS.filter((end) => chosen[end] === null).map((end) => words.say(`missing.${end}`))
      .join(words.say('sentence.separator'));
  }

  /**
   * Chooses the stimulus that is heard.
   *
   * @param {string} name
   * @param {KeyboardEvent} event
   * @param {number} slot
   */
  key(name, { shiftKey }, slot) {
    if (!shiftKey || !(name in KEYS)) return false;
    this.choose(/** @type {'best' | 'worst'} */ (KEYS[/** @type {keyof typeof KEYS} */ (name)]), slot);
    return true;
  }

  /** @param {boolean} enabled */
  enable(enabled) {
    for (const node of this.buttons.flat()) node.disabled = !enabled;
  }
}

/** @type {Task} */
export const bws = {
  compares: true,
  scale: (words, { slots }, title, onchange) => new ExtremesScale(words, slots, onchange),
  keys: (words) => [[['1', '–', '5'], 'keys.slots'],
    [[words.say('keys.name.shift'), 'B', 'W'], 'keys.answer.bws']],
};
