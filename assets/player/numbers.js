// Numbers: limits, decibels, and how times and levels are written.

/** @type {(value: number, low: number, high: number) => number} */
export const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** Amplitude ratio of a level in dB. @type {(db: number) => number} */
export const decibels = (db) => 10 ** (db / 20);

/** Seconds as m:ss.hh. @param {number} seconds */
export function clock(seconds) {
  const hundredths = Math.round(Math.max(0, seconds) * 100);
  const rest = String((hundredths % 6000) / 100 | 0).padStart(2, '0');
  return `${Math.floor(hundredths / 6000)}:${rest}.${String(hundredths % 100).padStart(2, '0')}`;
}

/** A number with its sign; what rounds to zero has none. @param {number} number */
export function signed(number, digits = 1) {
  const text = Math.abs(number).toFixed(digits);
  if (Number(text) === 0) return text;
  return (number < 0 ? '\u2212' : '+') + text;   // a true minus: a hyphen is narrower than a plus
}
