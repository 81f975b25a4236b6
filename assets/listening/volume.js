// The volume: set once, by ear, before anything is judged.

import { el, icon, setAttribute } from '../player/elements.js';
import { Panel } from './panel.js';
import { Foot, heading, legend } from './parts.js';

const NEED = 2;   // s of the sound, before a volume can have been set by it

export class Volume {
  constructor(booth, step) {
    const { words, deck } = booth;
    Object.assign(this, { booth, step, deck, words });
    this.heading = heading(words.say('volume.title'));
    this.slider = el('input', 'booth-slider booth-level', { type: 'range', min: 0, max: 1, step: 0.01,
      value: deck.transport.level, 'aria-label': words.say('volume.level'), oninput: () => this.setLevel() });
    this.panel = new Panel({ deck, words, slots: [{ role: 'take', label: '' }], need: NEED });
    this.foot = new Foot(words.say('volume.done'), () => booth.next('volume', { level: deck.transport.level }));
    this.button = this.foot.button;
    this.root = el('div', 'booth-step', {}, this.heading, el('p', 'booth-text', { text: words.say('volume.text') }),
      this.panel.root, el('div', 'booth-loudness', {}, icon('volume'), this.slider), this.foot.root,
      legend(words, [[[words.say('keys.name.space')], words.say('keys.play')],
        [[words.say('keys.name.enter')], words.say('keys.submit')]]));
    deck.onchange = () => this.update();
    this.setLevel();
  }

  async load() {
    await this.deck.load(this.booth.server, [this.step.url], this.step.sample_rate);
    this.deck.toggleLoop();
  }

  setLevel() {
    this.deck.setLevel(Number(this.slider.value));
    this.booth.memory.set('level', this.slider.value);
  }

  get missing() {
    const { deck, words } = this;
    if (!deck.slots.length) return words.say('trial.loading');
    if (!deck.transport.level) return words.say('volume.silent');
    const seconds = Math.ceil(deck.coverage.missing(0, NEED));
    return seconds ? words.say('volume.missing', { seconds }) : '';
  }

  update() {
    const percent = Math.round(this.deck.transport.level * 100);
    this.slider.style.setProperty('--booth-part', percent / 100);
    setAttribute(this.slider, 'aria-valuetext', this.words.say('volume.value', { percent }));
    this.panel.render();
    this.foot.render(this.missing, this.booth.busy && this.words.say('trial.sending'));
  }

  key(name) {
    if (name !== ' ' || !this.deck.slots.length) return false;
    this.deck.toggle();
    return true;
  }
}
