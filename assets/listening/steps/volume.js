// The volume: set once, by ear, before anything is judged.

import { el, icon, setAttribute } from '../../player/elements.js';
import { shownSeconds } from '../playback/coverage.js';
import { PlayerPanel } from '../playback/player-panel.js';
import { Foot, heading, legend } from '../widgets.js';

/** @import { StepView, VolumeStep } from '../messages.js' */
/** @import { Session } from '../session.js' */

const MIN_HEARD_SECONDS = 2;   // of the sound, before a volume can have been set by it

/** @implements {StepView} */
export class Volume {
  /**
   * @param {Session} session
   * @param {VolumeStep} step
   */
  constructor(session, step) {
    const { words, player } = session;
    this.session = session;
    this.step = step;
    this.player = player;
    this.words = words;
    this.heading = heading(words.say('volume.title'));
    /** @type {HTMLInputElement} */
    this.slider = el('input', 'booth-slider booth-level', { type: 'range', min: 0, max: 1, step: 0.01,
      value: player.transport.level, 'aria-label': words.say('volume.level'), oninput: () => this.setLevel() });
    this.panel = new PlayerPanel({ player, words, slots: [{ role: 'take', label: '' }], need: MIN_HEARD_SECONDS });
    this.foot = new Foot(words.say('volume.done'), () => session.next('volume', { level: player.transport.level }));
    this.button = this.foot.button;
    this.root = el('div', 'booth-step', {}, this.heading, el('p', 'booth-text', { text: words.say('volume.text') }),
      this.panel.root, el('div', 'booth-loudness', {}, icon('volume'), this.slider), this.foot.root,
      legend(words, [[[words.say('keys.name.space')], words.say('keys.play')],
        [[words.say('keys.name.enter')], words.say('keys.submit')]]));
    player.onchange = () => this.update();
    this.setLevel();
  }

  async load() {
    await this.player.load(this.session.server, [this.step.url], this.step.sample_rate);
    this.player.toggleLoop();
  }

  setLevel() {
    this.player.setLevel(Number(this.slider.value));
    this.session.memory.set('level', this.slider.value);
  }

  get missing() {
    const { player, words } = this;
    if (!player.slots.length) return words.say('trial.loading');
    if (!player.transport.level) return words.say('volume.silent');
    const seconds = shownSeconds(player.coverage.missing(0, MIN_HEARD_SECONDS));
    return seconds ? words.say('volume.missing', { seconds }) : '';
  }

  update() {
    const { level } = this.player.transport;
    this.slider.style.setProperty('--booth-part', String(level));
    setAttribute(this.slider, 'aria-valuetext', this.words.percent(level));
    this.panel.render();
    this.foot.render(this.missing, this.session.busy && this.words.say('trial.sending'));
  }

  /** @param {string} name */
  key(name) {
    if (name !== ' ' || !this.player.slots.length) return false;
    this.player.toggle();
    return true;
  }
}
