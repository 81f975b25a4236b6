// A trial: its sounds, its question, and what is still missing before the answer may be sent.

import { el } from '../player/elements.js';
import { rules } from './instructions.js';
import { Panel, slotName } from './panel.js';
import { Foot, heading, legend } from './parts.js';
import { taskOf } from './tasks/registry.js';

const SEEK = 1;   // s per arrow key

export class Trial {
  constructor(booth, step) {
    const { words, deck } = booth;
    Object.assign(this, { booth, step, deck, words, began: performance.now(), complete: false });
    this.task = taskOf(step.mode);
    const title = words.say(`trial.title.${step.mode}`);
    this.heading = heading(title);
    this.names = step.slots.map((slot) => slotName(words, slot));
    this.scale = this.task.scale(words, step, title, () => this.update());
    const { beside, top } = this.scale;
    this.panel = new Panel({ deck, words, slots: step.slots, need: step.need, beside, top });
    this.foot = new Foot(words.say('trial.submit'), () => this.submit());
    this.button = this.foot.button;
    this.root = el('div', 'booth-step booth-trial', {}, this.buildProgress(), this.heading, this.buildHelp(),
      this.panel.root, this.scale.root, this.foot.root, legend(words, this.keyRows()));
    deck.onchange = () => this.update();
    this.update();
  }

  async load() {
    await this.deck.load(this.booth.server, this.step.slots.map(({ url }) => url), this.step.sample_rate);
    this.began = performance.now();
  }

  buildProgress() {
    const { words, step: { number, of, training } } = this;
    if (training) {
      return el('p', 'booth-practice', {}, el('b', 'booth-chip', { text: words.say('trial.practice') }),
        el('span', '', { text: words.say('trial.practice.text') }));
    }
    const text = words.say('trial.progress', { number, of });
    const bar = el('div', 'booth-bar', { role: 'progressbar', 'aria-label': words.say('trial.progress.name'),
      'aria-valuemin': 0, 'aria-valuemax': of, 'aria-valuenow': number - 1, 'aria-valuetext': text },
    el('div', 'booth-bar-done'));
    bar.style.setProperty('--booth-part', (number - 1) / of);
    return el('div', 'booth-progress', {}, bar, el('span', 'booth-progress-text', { text, 'aria-hidden': 'true' }));
  }

  buildHelp() {
    const { words, step } = this;
    const help = el('details', 'booth-details', {}, el('summary', '', { text: words.say('instructions.help') }),
      rules(words, step));
    help.open = step.training && step.number === 1;
    return help;
  }

  keyRows() {
    const { words, task } = this;
    const rows = [[[words.say('keys.name.space')], 'keys.play'], ...task.keys(words), [['←', '→'], 'keys.seek'],
      [['L'], 'keys.loop'], [[words.say('keys.name.enter')], 'keys.submit']];
    return rows.map(([keys, text]) => [keys, words.say(text)]);
  }

  // ------------------------------------------------ what is missing

  get missing() {
    const { deck, words, names, step } = this;
    if (!deck.slots.length) return words.say('trial.loading');
    const unheard = names.map((label, id) =>
      ({ label, role: step.slots[id].role, seconds: deck.coverage.missing(id, step.need) }))
      .filter(({ seconds }) => seconds > 0);
    return [this.unheardText(unheard), this.scale.missing].filter(Boolean).join(words.say('sentence.separator'));
  }

  unheardText([first, ...others]) {
    const { words, names } = this;
    if (!first) return '';
    const seconds = Math.ceil(first.seconds - 1e-3);
    const kind = names.length === 1 ? '.only' : first.role === 'reference' ? '.reference' : '';
    const text = words.say(`missing.hear${kind}`, { label: first.label, seconds });
    const labels = words.list(others.map(({ label }) => label));
    return others.length ? words.say('missing.more', { text, labels }) : text;
  }

  update() {
    const { booth, words, missing } = this;
    this.panel.render();
    this.scale.enable(!booth.busy);
    this.foot.render(missing, booth.busy && words.say('trial.sending'));
    const complete = !missing;
    if (complete && !this.complete) booth.announce(words.say('trial.ready'));
    this.complete = complete;
  }

  get state() {
    const { mode, nonce, training } = this.step;
    return { mode, nonce, training, answer: this.scale.answer, missing: this.missing };
  }

  // ------------------------------------------------ what the listener does

  submit() {
    const { booth, deck, scale, step } = this;
    if (booth.busy) return;
    deck.pause();
    const { coverage, plays, switches } = deck;
    booth.ask('answer', { token: booth.token, nonce: step.nonce, answer: scale.answer, heard: coverage.slots, plays,
      switches, dwell_ms: Math.round(performance.now() - this.began) });
  }

  /** The slot that a key stands for: its letter, or its row. */
  slotOf(name) {
    const { slots } = this.step;
    const byLetter = slots.findIndex(({ role, label }) =>
      name === (role === 'reference' ? 'r' : role === 'x' ? 'x' : label.toLowerCase()));
    return byLetter >= 0 || !/^[1-9]$/.test(name) ? byLetter : slots.length >= Number(name) ? Number(name) - 1 : -1;
  }

  key(name, event) {
    const { deck, booth } = this;
    if (booth.busy || !deck.slots.length) return false;
    if (this.scale.key(name, event, deck.selected)) return true;
    if (name === ' ') deck.toggle();
    else if (name === 'arrowleft') deck.nudge(-SEEK);
    else if (name === 'arrowright') deck.nudge(SEEK);
    else if (name === 'l') this.toggleLoop();
    else if (!event.shiftKey && this.slotOf(name) >= 0) this.choose(this.slotOf(name));
    else return false;
    return true;
  }

  choose(id) {
    this.deck.choose(id);
    this.booth.announce(this.words.say('deck.playing', { label: this.names[id] }));
  }

  toggleLoop() {
    this.deck.toggleLoop();
    this.booth.announce(this.words.say(this.deck.looping ? 'deck.looped' : 'deck.unlooped'));
  }
}
