// MUSHRA, ITU-R BS.1534: a slider for every stimulus; the reference is the first slot.

import { SliderScale } from './scales.js';

/** @import { Task } from './registry.js' */

/** @type {Task} */
export const mushra = {
  compares: true,

  scale: (words, { slots }, title, onchange) =>
    new SliderScale(words, slots.slice(1).map(({ label }) => label), onchange),

  keys: (words) => [[['1', '–', '9'], 'keys.slots'], [['R'], 'keys.reference'], [['↑', '↓'], 'keys.rate'],
    [[words.say('keys.name.pages')], 'keys.rate.ten'], [[words.say('keys.name.ends')], 'keys.rate.ends']],
};
