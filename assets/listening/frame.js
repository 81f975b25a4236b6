// The frame around the steps: the name of the page, the language menu, a notice of a lost connection, and a line that only
// screen readers say.

import { drawing, el, setText } from '../player/elements.js';
import { languageMenu } from './languages.js';
import { button } from './widgets.js';

// As in the header of the app
const WAVE = 'M2 16h4m3-5v10m4-15v20m4-24v28m4-21v14m4-19v24m4-16v8m4-12v16m4-11v6m4-4v2m3-1h2';

/** @import { Languages } from './languages.js' */
/** @import { Trouble } from './messages.js' */
/** @import { Translations } from './translations.js' */

export class Frame {
  /**
   * @param {HTMLElement} host
   * @param {Languages} languages
   * @param {{choose: (language: string) => void, hurry: () => void}} actions
   */
  constructor(host, languages, { choose, hurry }) {
    this.host = host;
    this.status = el('p', 'booth-sr', { role: 'status', 'aria-live': 'polite' });
    this.title = el('span', '');
    this.menu = languageMenu(languages, choose);
    this.preview = el('p', 'booth-notice', { role: 'note', hidden: '' });
    this.troubleText = el('p', '');
    this.troubleButton = button('', hurry);
    this.trouble = el('div', 'booth-notice booth-trouble', { hidden: '' }, this.troubleText, this.troubleButton);
    this.stage = el('div', 'booth-stage');
    this.aside = el('div', 'booth-aside');
    this.root = el('div', 'booth-body', {}, this.status, el('header', 'booth-header', {},
      el('p', 'booth-brand', {}, drawing(WAVE, '0 0 48 32'), this.title), this.menu), this.preview, this.trouble, this.stage,
    this.aside);
    host.replaceChildren(this.root);
  }

  /** @param {Translations} words */
  translate(words) {
    const { host, menu } = this;
    document.title = words.say('title');
    host.lang = document.documentElement.lang = words.language;
    host.dir = words.say('language.direction');
    setText(this.title, words.say('title'));
    setText(this.preview, words.say('preview.text'));
    setText(this.troubleButton, words.say('trouble.now'));
    menu.value = words.language;
    menu.setAttribute('aria-label', words.say('language.menu'));
  }

  /** @param {string} text */
  announce(text) {
    setText(this.status, '');   // the same sentence twice is two sentences
    requestAnimationFrame(() => setText(this.status, text));
  }

  /**
   * @param {Trouble | null} trouble
   * @param {Translations} words
   */
  showTrouble(trouble, words) {
    const text = trouble ? words.say(`trouble.${trouble.reason}`, trouble) : '';
    if (trouble && this.trouble.hidden) this.announce(text);
    this.trouble.hidden = !trouble;
    if (trouble) setText(this.troubleText, text);
  }
}
