// ABX: whether X is A or B. The letters alone play the stimuli.

import { ChoiceScale } from './scales.js';

/** @import { Task } from './registry.js' */

/** @type {Task} */
export const abx = {
  compares: true,

  scale(words, step, title, onchange) {
    const options = ['a', 'b'].map((value) => ({ value, key: value, text: words.say(`abx.${value}`) }));
    return new ChoiceScale(words, title, onchange, { options, shifted: true });
  },

  keys: (words) => [[['A', 'B', 'X'], 'keys.abx'], [[words.say('keys.name.shift'), 'A', 'B'], 'keys.answer.abx']],
};
