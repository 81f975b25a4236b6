// Translations: the texts of the page in the listener's language. They are data of the page (en.json, zh-TW.json).

export class Translations {
  constructor(texts) {
    this.texts = texts;
  }

  get language() { return this.texts.language; }

  has(key) {
    return key in this.texts;
  }

  /** The text of `key`, its {placeholders} filled in; a key that has no text shows itself. */
  say(key, values = {}) {
    return (this.texts[key] ?? key).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  }

  list(items) {
    return items.join(this.say('list.separator'));
  }
}
