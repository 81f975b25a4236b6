// MUSHRA, ITU-R BS.1534: a slider for every stimulus; the reference is the first slot.

import { SliderScale, sliderKeys } from './scales.js';

/** @import { Task } from './registry.js' */

/** @type {Task} */
export const mushra = {
  compares: true,
  scale: (words, { slots }, title, onchange) => new SliderScale(words, slots, onchange),
  keys: (words) => [[['1', '–', '9'], 'keys.slots'], [['R'], 'keys.reference'], ...sliderKeys(words)],
};
