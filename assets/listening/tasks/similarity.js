// Similarity of two sounds, in five categories.

import { ChoiceScale } from './scales.js';

const SCORES = [5, 4, 3, 2, 1];

/** @import { Task } from './registry.js' */

/** @type {Task} */
export const similarity = {
  compares: true,

  scale(words, step, title, onchange) {
    const options = SCORES.map((value) => ({ value, key: String(value), mark: String(value),
      text: words.say(`similarity.${value}`) }));
    return new ChoiceScale(words, title, onchange, { options, layout: 'categories' });
  },

  keys: () => [[['A', 'B'], 'keys.ab'], [['1', '–', '5'], 'keys.acr']],
};
