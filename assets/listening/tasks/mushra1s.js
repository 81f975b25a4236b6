// MUSHRA 1S: one stimulus at a time, with the reference and the anchors openly beside it.

import { SliderScale, sliderKeys } from './scales.js';

/** @import { Task } from './registry.js' */

class SingleSlider extends SliderScale {
  /** The one score. @override */
  get answer() { return this.answers?.[0] ?? null; }
}

/** @type {Task} */
export const mushra1s = {
  compares: true,
  scale: (words, { slots }, title, onchange) => new SingleSlider(words, slots, onchange),
  keys: (words) => [[['1', '–', '4'], 'keys.slots'], [['R'], 'keys.reference'], [['A'], 'keys.stimulus'],
    ...sliderKeys(words)],
};
