// MUSHRA without a reference: a slider for every stimulus.

import { SliderScale, sliderKeys } from './scales.js';

/** @import { Task } from './registry.js' */

/** @type {Task} */
export const mushranr = {
  compares: true,
  scale: (words, { slots }, title, onchange) => new SliderScale(words, slots, onchange),
  keys: (words) => [[['1', '–', '9'], 'keys.slots'], ...sliderKeys(words)],
};
