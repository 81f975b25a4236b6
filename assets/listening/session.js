// The session: a listening test from the welcome to the thanks. The server says what comes next; nothing about what is
// heard ever reaches this page but letters.
//
// mount(host, languages): the languages that there are texts of. Texts from users (the name of a study, its questions) go
// through textContent only.

import { el } from '../player/elements.js';
import { Frame } from './frame.js';
import { isTaken, keyName } from './keys.js';
import { bestLanguage, textsOf } from './languages.js';
import { Memory, Refusal, Server } from './server.js';
import { Translations } from './translations.js';
import { BlindPlayer } from './playback/blind-player.js';
import { viewOf } from './steps/views.js';
import { Withdraw } from './steps/withdraw.js';

const ASIDE = new Set(['volume', 'headphones', 'instructions', 'trial', 'questionnaire']);   // where one may withdraw
const FINAL = new Set(['unknown_study', 'no_participant', 'bad_participant', 'bad_preview']);   // asked again, the answer is the same

/** @import { Calls, SetupStep, Step, StepView, Trouble } from './messages.js' */
/** @typedef {HTMLElement & {labSession?: Session}} Host */
/** @import { ErrorStep } from './steps/views.js' */
/** @import { Languages } from './languages.js' */

/**
 * @typedef {object} Parts
 * @property {Languages} languages
 * @property {Record<string, string>} texts of the first language
 * @property {Record<string, string>} address parameters of the page's address, with a recruiting platform's ids in it
 * @property {Memory} memory
 * @property {Server} server
 */

export class Session {
  /** @type {StepView | null} */
  view = null;
  /** @type {Step | ErrorStep | null} */
  step = null;
  /** Whether a call is on its way. */
  busy = false;
  /** Its outcome. @type {Promise<{step: Step} | {refusal: Refusal}> | null} */
  asked = null;
  leaving = false;
  /** @type {Trouble | null} */
  trouble = null;
  /** The problem that the session was opened again for: once each. @type {string | null} */
  reopened = null;
  /** @type {HTMLElement | undefined} */
  complaint;

  /**
   * @param {Host} host
   * @param {Parts} parts
   */
  constructor(host, { languages, texts, address, memory, server }) {
    this.host = host;
    this.languages = languages;
    this.words = new Translations(texts);
    this.address = address;
    this.study = address.study ?? '';
    this.memory = memory;
    this.server = server;
    server.ontrouble = (trouble) => this.showTrouble(trouble);
    this.player = new BlindPlayer(host);
    this.player.setLevel(Number(this.memory.get('level') ?? 1));
    this.frame = new Frame(host, languages, { choose: (language) => this.choose(language), hurry: () => server.hurry() });
    this.frame.preview.hidden = !this.isPreview;
    this.frame.stage.replaceChildren(el('p', 'booth-text', { text: this.words.say('loading') }));
    this.frame.translate(this.words);
    this.listen();
    host.labSession = this;
  }

  /** Whether the owner walks through: nothing is stored. */
  get isPreview() { return 'preview' in this.address; }

  get token() { return this.memory.get('token'); }

  /** For tests. */
  get state() {
    const { step, busy, trouble, player, view } = this;
    const { playing, selected, switches, plays } = player;
    const heard = player.slots.map(({ id }) => player.coverage.of(id));
    const time = player.slots.length ? player.position : 0;
    return { step: step?.step, busy, trouble, playing, selected, switches, plays, heard, time, ...view?.state };
  }

  // ------------------------------------------------ language

  /** By the link, or because the session has begun: a scale in another language would be another scale. */
  get isLanguageFixed() { return Boolean(this.token) || Object.hasOwn(this.languages, this.address.language); }

  /** Another language, from the menu. @param {string} language */
  async choose(language) {
    this.memory.set('language', language);
    await this.speak(language);
    if (this.step) await this.show(this.step);
    this.frame.menu.focus();
  }

  /** @param {string} [language] one that the page lacks changes nothing */
  async speak(language = '') {
    if (language === this.words.language || !Object.hasOwn(this.languages, language)) return;
    this.words = new Translations(await textsOf(this.server, language));
    this.frame.translate(this.words);
  }

  // ------------------------------------------------ what the listener does

  listen() {
    document.addEventListener('keydown', (event) => this.press(event));
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) return;
      this.player.pause();
      this.view?.hush?.();
      this.view?.keep?.();
    });
    window.addEventListener('pagehide', () => this.view?.keep?.());
    window.addEventListener('beforeunload', (event) => { if (this.busy) event.preventDefault(); });
    // A control that was clicked with the pointer keeps no focus: Space belongs to the player. Keyboard focus is left alone.
    let pointer = false;
    this.frame.root.addEventListener('pointerdown', () => { pointer = true; });
    document.addEventListener('keydown', () => { pointer = false; }, true);
    this.frame.root.addEventListener('click', ({ target }) => {
      const pressed = target instanceof HTMLElement && target.matches('button, input:not([type=checkbox])');
      if (pointer && pressed) target.blur();
    });
    // Asked for without a gesture, sound waits in a suspended context: the first gesture lets it go.
    this.frame.root.addEventListener('pointerdown', () => {
      const { transport } = this.player;
      if (transport.starting) transport.context?.resume().catch(() => {});
    });
  }

  /** @param {KeyboardEvent} event */
  press(event) {
    if (!this.host.isConnected || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const name = keyName(event);
    const { view } = this;
    if (!view || (event.target instanceof Element && isTaken(name, event.target))) return;
    if (event.repeat && !/^(arrow|page)/.test(name)) return void (name === ' ' && event.preventDefault());
    if (view.key?.(name, event)) event.preventDefault();
    else if (name === 'enter' && view.button) this.pressButton(view.button);
  }

  /** Enter where the button does not yet work says why. @param {HTMLButtonElement} node */
  pressButton(node) {
    if (!node.disabled) node.click();
    else if (!this.busy) this.announce(this.view?.missing ?? this.view?.foot?.missing.textContent ?? '');
  }

  /** @param {string} text */
  announce(text) {
    this.frame.announce(text);
  }

  /** @param {Trouble | null} trouble */
  showTrouble(trouble) {
    this.trouble = trouble;
    this.frame.showTrouble(trouble, this.words);
  }

  // ------------------------------------------------ from step to step

  open() {
    return this.ask('open', { study: this.study, token: this.token ?? undefined, address: this.address });
  }

  join() {
    const context = new AudioContext();   // the rate of the listener's sound card
    const device = { width: screen.width, touch: matchMedia('(any-pointer: coarse)').matches,
      sample_rate: context.sampleRate };
    context.close();
    return this.ask('join', { study: this.study, language: this.words.language, device, address: this.address });
  }

  /**
   * @param {SetupStep} done
   * @param {Omit<Calls['next'], 'token' | 'done'>} data
   */
  next(done, data = {}) {
    return this.ask('next', { token: this.token, done, ...data });
  }

  /** Waits for what is on its way: an answer that cannot get through yet must not come after it. */
  async forget() {
    if (this.leaving) return;
    this.leaving = true;
    while (this.busy) await this.asked;
    await this.ask('forget', { token: this.token });
    this.leaving = false;
  }

  /**
   * One question to the server at a time: a double click is one answer.
   *
   * @template {keyof Calls} Name
   * @param {Name} name
   * @param {Calls[Name]} body
   */
  async ask(name, body) {
    if (this.busy) return;
    this.setBusy(true);
    this.asked = this.server.call(name, body).then((step) => ({ step }), (refusal) => ({ refusal }));
    const outcome = await this.asked;
    this.setBusy(false);
    if ('refusal' in outcome) return void this.refused(outcome.refusal, name);
    const { step } = outcome;
    if (step.token) this.memory.set('token', step.token);
    if (step.step === 'forgotten') this.memory.set('token', null);
    if (name === 'answer' || step.step === 'forgotten') this.memory.set('trial', null);
    await this.speak(step.language);
    this.show(step);
  }

  /** @param {boolean} busy */
  setBusy(busy) {
    this.busy = busy;
    this.host.dataset.busy = busy ? '1' : '0';
    this.view?.update();
  }

  /**
   * @param {Refusal} refusal
   * @param {keyof Calls} name of the call
   */
  refused({ code }, name) {
    if (code === 'bad_token') this.memory.set('token', null);
    if (code === 'stale' || (code === 'bad_token' && this.reopened !== code)) {
      this.reopened = code;
      return void this.open();
    }
    if (code === 'closed') return void this.show({ step: 'closed' });
    if (this.view && (code === 'not_heard' || code === 'invalid_answer')) return void this.complain(code);
    this.show({ step: 'error', code, again: name !== 'open' || !FINAL.has(code) });
  }

  /** @param {string} code */
  complain(code) {
    const text = this.words.say(`error.${code}`);
    this.complaint?.remove();
    this.complaint = el('p', 'booth-notice booth-warning', { role: 'alert', text });
    this.view?.foot?.root.before(this.complaint);
  }

  /** @param {Step | ErrorStep} step */
  async show(step) {
    const { host, words } = this;
    this.view?.hush?.();
    this.player.clear();
    this.step = step;
    host.dataset.ready = '0';
    const view = this.view = viewOf(this, step);
    this.frame.stage.replaceChildren(view.root);
    this.frame.menu.hidden = this.isLanguageFixed;
    const aside = ASIDE.has(step.step) || ('stored' in step && step.stored) ? [new Withdraw(this, words.say('delete.during')).root] : [];
    this.frame.aside.replaceChildren(...aside);
    host.dataset.step = step.step;
    window.scrollTo(0, 0);
    view.heading.focus({ preventScroll: true });
    const problem = await view.load?.().then(() => null, (error) => error);
    if (this.view !== view) return;
    if (problem) return void this.soundless(problem);
    host.dataset.ready = '1';
    view.update();
  }

  /** A sound's address may have expired while the lid was closed: the step as it is now has fresh ones. @param {Error} problem */
  soundless(problem) {
    const { step } = this;
    const nonce = step?.step === 'trial' ? step.nonce : step?.step ?? null;
    if (problem instanceof Refusal && this.reopened !== nonce) {
      this.reopened = nonce;
      return void this.open();
    }
    this.show({ step: 'error', code: 'audio', again: true });
  }
}

/**
 * @param {Host} host
 * @param {Languages} languages
 */
export async function mount(host, languages) {
  const address = Object.fromEntries(new URLSearchParams(location.search));
  const { study = '', language } = address;
  const memory = new Memory('preview' in address ? `${study}:preview` : study);
  const server = new Server(() => {});
  const best = bestLanguage([language, memory.get('language'), ...navigator.languages], Object.keys(languages));
  const session = new Session(host, { languages, texts: await textsOf(server, best), address, memory, server });
  if ('privacy' in session.address) session.ask('privacy', { study: session.study });
  else session.open();
  return session;
}
