// The keyboard: names of keys, and whose key it is.

const TEXTUAL = 'input:not([type=range], [type=checkbox], [type=radio]), textarea, select';
// A radio button that is chosen already has no use for Space.
const PRESSED_BY_SPACE = 'button, a[href], summary, input[type=checkbox], input[type=radio]:not(:checked)';
const PRESSED_BY_ENTER = 'button, a[href], summary';
const MOVED = 'input[type=radio], input[type=range]';
const MOVERS = /^(arrow|page|home|end)/;

/**
 * Letters and digits by their place on the keyboard where a key does not write one: A is A while a Chinese or Russian
 * layout is on.
 *
 * @param {Pick<KeyboardEvent, 'key' | 'code'>} event
 */
export function keyName({ key, code }) {
  const [, plain] = /^(?:Key|Digit|Numpad)([A-Z0-9])$/.exec(code) ?? [];
  const foreign = key === 'Process' || (key.length === 1 && key.charCodeAt(0) > 127);
  return (foreign && plain ? plain : key).toLowerCase();
}

/**
 * Whether the element with the focus needs this key for itself.
 *
 * @param {string} name
 * @param {Element} target
 */
export function isTaken(name, target) {
  const within = (/** @type {string} */ selector) => Boolean(target.closest(selector));
  if ((target instanceof HTMLElement && target.isContentEditable) || within(TEXTUAL)) return true;
  if (name === ' ') return within(PRESSED_BY_SPACE);
  if (name === 'enter') return within(PRESSED_BY_ENTER);
  return MOVERS.test(name) && within(MOVED);
}
