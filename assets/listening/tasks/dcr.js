// Degradation category rating, ITU-T P.800 annex D: the reference openly, and five categories for the other sound.

import { ChoiceScale } from './scales.js';

const SCORES = [5, 4, 3, 2, 1];

/** @import { Task } from './registry.js' */

/** @type {Task} */
export const dcr = {
  compares: true,

  scale(words, step, title, onchange) {
    const options = SCORES.map((value) => ({ value, key: String(value), mark: String(value),
      text: words.say(`dcr.${value}`) }));
    return new ChoiceScale(words, title, onchange, { options, layout: 'categories' });
  },

  keys: () => [[['R', 'A'], 'keys.reference.a'], [['1', '–', '5'], 'keys.acr']],
};
