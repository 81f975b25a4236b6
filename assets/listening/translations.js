// Translations: the texts of the page in one language, with numbers, plurals and lists as that language writes them. The texts
// are in languages/, a file each.

export class Translations {
  /** @param {Record<string, string>} texts */
  constructor(texts) {
    this.texts = texts;
    const { language } = texts;
    this.numbers = new Intl.NumberFormat(language);
    this.tenths = new Intl.NumberFormat(language, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
    this.shares = new Intl.NumberFormat(language, { style: 'percent' });
    this.plurals = new Intl.PluralRules(language);
    this.lists = new Intl.ListFormat(language, { style: 'narrow' });
  }

  get language() { return this.texts.language; }

  /** @param {string} key */
  has(key) {
    return key in this.texts;
  }

  /**
   * The text of `key`, its {placeholders} filled in; a key that has no text shows itself.
   *
   * @param {string} key
   * @param {object} values of placeholders, by name
   * @returns {string}
   */
  say(key, values = {}) {
    const given = new Map(Object.entries(values));
    return (this.texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => {
      const value = given.get(name) ?? whole;
      return typeof value === 'number' ? this.numbers.format(value) : value;
    });
  }

  /**
   * The text of `key`.one, `key`.other, or another category of number that the language has, with {n}.
   *
   * @param {string} key
   * @param {number} n
   */
  count(key, n) {
    const category = `${key}.${this.plurals.select(n)}`;
    return this.say(this.has(category) ? category : `${key}.other`, { n });
  }

  /**
   * "3 minutes"
   *
   * @param {number} length
   * @param {'minute' | 'day'} unit
   */
  duration(length, unit) {
    return new Intl.NumberFormat(this.language, { style: 'unit', unit, unitDisplay: 'long' }).format(length);
  }

  /** With one digit after the decimal sign. @param {number} value */
  decimal(value) {
    return this.tenths.format(value);
  }

  /** @param {number} share from 0 to 1 */
  percent(share) {
    return this.shares.format(share);
  }

  /** @param {string[]} items */
  list(items) {
    return this.lists.format(items);
  }
}
