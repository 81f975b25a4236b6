// Sequential ABX: as ABX, with a session that may end early.

import { abx } from './abx.js';

/** @import { Task } from './registry.js' */

/** @type {Task} */
export const sabx = {
  ...abx,
  endsEarly: true,
  keys: (words) => [[['A', 'B', 'X'], 'keys.abx'], [[words.say('keys.name.shift'), 'A', 'B'], 'keys.answer.abx']],
};
