// Comparison category rating, ITU-T P.800 annex E: seven categories, of the second sound against the first.

import { ChoiceScale } from './scales.js';

const SCORES = [3, 2, 1, 0, -1, -2, -3];
const KEY_OF_ZERO = 4;   // of the keys 1 to 7

/** @import { Task } from './registry.js' */

/** @type {Task} */
export const ccr = {
  compares: true,

  scale(words, step, title, onchange) {
    const options = SCORES.map((value) => ({ value, key: String(value + KEY_OF_ZERO),
      mark: value > 0 ? `+${value}` : String(value).replace('-', '−'), text: words.say(`ccr.${value}`) }));
    return new ChoiceScale(words, title, onchange, { options, layout: 'categories' });
  },

  keys: () => [[['A', 'B'], 'keys.ab'], [['1', '–', '7'], 'keys.ccr']],
};
