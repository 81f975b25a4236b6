// The headphone check: which of three tones is the quietest (Woods et al. 2017). One of them is in antiphase, which
// loudspeakers in a room cancel and headphones do not. Its outcome is noted; nobody is turned away.

import { el, setAttribute, setText } from '../../player/elements.js';
import { soon } from '../../player/sound.js';
import { Choices, Foot, button, heading, legend } from '../widgets.js';

/** @import { HeadphonesStep, StepView } from '../messages.js' */
/** @import { Session } from '../session.js' */
/** @typedef {AudioBufferSourceNode & {begins?: number, ends?: number}} Tone in s of the context's clock */

const PAUSE_SECONDS = 0.4;   // between two tones
const TONES = ['1', '2', '3'];

/** @implements {StepView} */
export class Headphones {
  round = 0;
  /** The tone that was called the quietest, by round. @type {number[]} */
  answers = [];
  /** By round. @type {AudioBuffer[][]} */
  tones = [];
  /** Of the tones that are playing. @type {Tone[]} */
  sources = [];
  heard = false;

  /**
   * @param {Session} session
   * @param {HeadphonesStep} step
   */
  constructor(session, step) {
    const { words } = session;
    this.session = session;
    this.step = step;
    this.words = words;
    this.heading = heading(words.say('headphones.title'));
    this.count = el('p', 'booth-facts', { 'aria-live': 'polite' });
    this.lamps = TONES.map((text) => el('span', 'booth-lamp', { text, 'aria-hidden': 'true' }));
    this.playButton = button('', () => this.play());
    this.choices = new Choices('booth-tone', words.say('headphones.question'),
      TONES.map((number, index) => ({ value: index, mark: number, text: words.say(`headphones.tone.${number}`) })),
      () => this.update());
    this.foot = new Foot('', () => this.goOn(), button(words.say('headphones.skip'), () => this.finish(true),
      'booth-button booth-quiet'));
    this.button = this.foot.button;
    this.root = el('div', 'booth-step', {}, this.heading, el('p', 'booth-text', { text: words.say('headphones.text') }),
      this.count, el('section', 'booth-panel booth-tones', { 'aria-label': words.say('player.name') }, this.playButton,
        el('div', 'booth-lamps', {}, ...this.lamps)),
      el('p', 'booth-question', { text: words.say('headphones.question') }), this.choices.root, this.foot.root,
      legend(words, [[[words.say('keys.name.space')], words.say('headphones.keys.play')],
        [['1', '–', '3'], words.say('headphones.keys.answer')],
        [[words.say('keys.name.enter')], words.say('keys.submit')]]));
    this.update();
  }

  async load() {
    const { server, player } = this.session;
    const fetched = async (/** @type {string} */ url) => player.decode(await server.sound(url), player.rate);
    this.tones = await Promise.all(this.step.rounds.map((urls) => Promise.all(urls.map(fetched))));
    this.update();
  }

  get playing() { return this.sources.length > 0; }

  /** Straight to the output, in stereo: the transport plays one channel per sound, and antiphase would vanish. */
  async play() {
    if (!this.tones.length || this.playing || this.session.busy) return;
    const { transport } = this.session.player;
    const { context, volume } = transport.wake();
    /** @type {Tone[]} */
    const sources = this.tones[this.round].map((buffer) => new AudioBufferSourceNode(context, { buffer }));
    this.sources = sources;
    this.update();
    await context.resume();
    if (this.sources !== sources) return;   // stopped meanwhile
    let when = soon(context);
    for (const [index, source] of sources.entries()) {
      source.connect(volume.node);
      source.start(when);
      source.begins = when;
      source.ends = when += this.tones[this.round][index].duration;
      when += PAUSE_SECONDS;
    }
    sources[sources.length - 1].onended = () => this.ended(sources);
    this.follow(sources);
  }

  /** @param {Tone[]} sources */
  ended(sources) {
    if (this.sources !== sources) return;
    Object.assign(this, { sources: [], heard: true });
    this.update();
  }

  /** @param {Tone[]} sources */
  follow(sources) {
    if (this.sources !== sources) return;
    const time = this.session.player.transport.audibleTime;
    this.lamps.forEach((lamp, index) => {
      const { begins = Infinity, ends = Infinity } = sources[index];
      lamp.classList.toggle('booth-lit', time >= begins && time < ends);
    });
    requestAnimationFrame(() => this.follow(sources));
  }

  /** Silence: the tab is hidden, or the step over. */
  hush() {
    const { sources } = this;
    this.sources = [];
    for (const source of sources) {
      source.onended = null;
      source.disconnect();
    }
    this.update();
  }

  goOn() {
    this.answers.push(Number(this.choices.value));
    if (this.answers.length === this.step.rounds.length) return void this.finish(false);
    Object.assign(this, { round: this.round + 1, heard: false });
    this.choices.set(null);
    this.hush();
    this.playButton.focus();
  }

  /** @param {boolean} skipped */
  finish(skipped) {
    if (this.session.busy) return;
    this.hush();
    this.session.next('headphones', { answers: this.answers, skipped });
  }

  get missing() {
    const { words, heard, choices } = this;
    if (!this.tones.length) return words.say('trial.loading');
    if (!heard) return words.say('headphones.missing.play');
    return choices.value === null ? words.say('headphones.missing.answer') : '';
  }

  get state() {
    return { round: this.round, heard: this.heard, answers: this.answers };
  }

  update() {
    const { words, session, step } = this;
    const of = step.rounds.length;
    setText(this.count, words.say('headphones.round', { number: this.round + 1, of }));
    setText(this.playButton, words.say(this.heard ? 'headphones.again' : 'headphones.play'));
    this.playButton.disabled = !this.tones.length || this.playing;
    setAttribute(this.playButton, 'aria-pressed', this.playing);
    if (!this.playing) this.lamps.forEach((lamp) => lamp.classList.remove('booth-lit'));
    this.choices.enable(this.heard && !session.busy);
    this.foot.text = words.say(this.round + 1 < of ? 'headphones.next' : 'headphones.last');
    this.foot.render(this.missing, session.busy && words.say('trial.sending'));
  }

  /** @param {string} name */
  key(name) {
    if (name === ' ') this.play();
    else if (this.heard && TONES.includes(name)) {
      this.choices.set(Number(name) - 1);
      this.update();
    } else return false;
    return true;
  }
}
