// AB: which of two stimuli is preferred, or neither. The letters alone play the stimuli.

import { ChoiceScale } from './scales.js';

/** @import { Task } from './registry.js' */

/** @type {Task} */
export const ab = {
  compares: true,

  scale(words, step, title, onchange) {
    const keys = { a: 'a', same: 's', b: 'b' };
    const options = Object.entries(keys).map(([value, key]) => ({ value, key, text: words.say(`ab.${value}`) }));
    return new ChoiceScale(words, title, onchange, { options, shifted: true });
  },

  keys: (words) => [[['A', 'B'], 'keys.ab'], [[words.say('keys.name.shift'), 'A', 'S', 'B'], 'keys.answer.ab']],
};
