// Translations: the texts of the page in the listener's language. They are data of the page (en.json, zh-TW.json).

export class Translations {
  /** @param {Record<string, string>} texts */
  constructor(texts) {
    this.texts = texts;
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
    return (this.texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => given.get(name) ?? whole);
  }

  /** @param {string[]} items */
  list(items) {
    return items.join(this.say('list.separator'));
  }
}
