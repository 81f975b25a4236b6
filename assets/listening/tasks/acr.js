// Absolute category rating, ITU-T P.800: five categories for one sound.

import { ChoiceScale } from './scales.js';

const SCORES = [5, 4, 3, 2, 1];

/** @import { Task } from './registry.js' */

/** @type {Task} */
export const acr = {
  compares: false,

  scale(words, step, title, onchange) {
    const options = SCORES.map((value) => ({ value, key: String(value), mark: String(value),
      text: words.say(`acr.${value}`) }));
    return new ChoiceScale(words, title, onchange, { options, layout: 'categories' });
  },

  keys: () => [[['1', '–', '5'], 'keys.acr']],
};
