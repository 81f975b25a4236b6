// A trial: its sounds, its question, and what is still missing before the answer may be sent.

import { el } from '../../player/elements.js';
import { rules } from './instructions.js';
import { shownSeconds } from '../playback/coverage.js';
import { readKept } from '../playback/kept-trial.js';
import { PlayerPanel, slotName } from '../playback/player-panel.js';
import { taskOf } from '../tasks/registry.js';
import { Foot, heading, legend } from '../widgets.js';

/** @import { Slot, StepView, TrialStep } from '../messages.js' */
/** @import { Session } from '../session.js' */

const SEEK_SECONDS = 1;   // per arrow key
const MAX_COMMENT_CHARS = 2000;

/** @implements {StepView} */
export class Trial {
  /**
   * @param {Session} session
   * @param {TrialStep} step
   */
  constructor(session, step) {
    const { words, player } = session;
    this.session = session;
    this.step = step;
    this.player = player;
    this.words = words;
    this.task = taskOf(step.mode);
    this.began = performance.now();
    this.complete = false;
    const title = words.say(`trial.title.${step.mode}`);
    this.heading = heading(title);
    this.names = step.slots.map((slot) => slotName(words, slot));
    this.scale = this.task.scale(words, step, title, () => this.update());
    const { beside, top } = this.scale;
    this.panel = new PlayerPanel({ player, words, slots: step.slots, need: step.need, beside, top });
    this.foot = new Foot(words.say('trial.submit'), () => this.submit());
    this.button = this.foot.button;
    this.comment = step.comments ? el('textarea', 'booth-input', { id: 'booth-comment', rows: 2,
      maxlength: MAX_COMMENT_CHARS }) : null;
    this.root = el('div', 'booth-step booth-trial', {}, this.buildProgress(), this.heading, this.buildHelp(),
      this.panel.root, this.scale.root, this.buildComment(), this.foot.root, legend(words, this.keyRows()));
    player.restarts = Boolean(step.restart_on_switch);
    player.onchange = () => this.update();
    this.update();
  }

  async load() {
    await this.player.load(this.session.server, this.step.slots.map(({ url }) => url), this.step.sample_rate);
    this.began = performance.now();
    this.restore();
  }

  /** What was heard and entered here before a reload. */
  restore() {
    const { session, step, player, scale, comment } = this;
    const kept = readKept(session.memory.get('trial'), step.nonce, step.slots.length);
    if (!kept || !player.slots.length) return;
    this.began -= kept.dwell_ms;
    scale.entered = kept.entered;
    if (comment) comment.value = kept.comment;
    player.restore(kept);
  }

  /** Before the page goes away. A trial that is still loading has nothing new. */
  keep() {
    const { session, step: { nonce }, player, scale, comment } = this;
    if (!player.slots.length) return;
    player.listen();
    const { coverage: { slots: heard }, plays, switches } = player;
    session.memory.set('trial', JSON.stringify({ nonce, heard, plays, switches, dwell_ms: this.dwell,
      entered: scale.entered, comment: comment?.value ?? '' }));
  }

  get dwell() { return Math.round(performance.now() - this.began); }

  buildProgress() {
    const { words, step: { number, of, training } } = this;
    if (training) {
      return el('p', 'booth-practice', {}, el('b', 'booth-chip', { text: words.say('trial.practice') }),
        el('span', '', { text: words.say('trial.practice.text') }));
    }
    const text = words.say(this.task.endsEarly ? 'trial.progress.most' : 'trial.progress', { number, of });
    const bar = el('div', 'booth-bar', { role: 'progressbar', 'aria-label': words.say('trial.progress.name'),
      'aria-valuemin': 0, 'aria-valuemax': of, 'aria-valuenow': number - 1, 'aria-valuetext': text },
    el('div', 'booth-bar-done'));
    bar.style.setProperty('--booth-part', String((number - 1) / of));
    return el('div', 'booth-progress', {}, bar, el('span', 'booth-progress-text', { text, 'aria-hidden': 'true' }));
  }

  buildHelp() {
    const { words, step } = this;
    const help = el('details', 'booth-details', {}, el('summary', '', { text: words.say('instructions.help') }),
      rules(words, step));
    help.open = step.training && step.number === 1;
    return help;
  }

  buildComment() {
    return this.comment && el('div', 'booth-field', {},
      el('label', 'booth-question', { for: 'booth-comment', text: this.words.say('trial.comment') }), this.comment);
  }

  keyRows() {
    const { words, task } = this;
    /** @type {[string[], string][]} */
    const rows = [[[words.say('keys.name.space')], 'keys.play'], ...task.keys(words), [['←', '→'], 'keys.seek'],
      [['L'], 'keys.loop'], [[words.say('keys.name.enter')], 'keys.submit']];
    return rows.map(([keys, text]) => /** @type {[string[], string]} */ ([keys, words.say(text)]));
  }

  // ------------------------------------------------ what is missing

  get missing() {
    const { player, words, names, step } = this;
    if (!player.slots.length) return words.say('trial.loading');
    const unheard = names.map((label, id) =>
      ({ label, role: step.slots[id].role, seconds: player.coverage.missing(id, step.need) }))
      .filter(({ seconds }) => seconds > 0);
    return [this.unheardText(unheard), this.scale.missing].filter(Boolean).join(words.say('sentence.separator'));
  }

  /** @param {{label: string, role: Slot['role'], seconds: number}[]} unheard */
  unheardText([first, ...others]) {
    const { words, names } = this;
    if (!first) return '';
    const seconds = shownSeconds(first.seconds);
    const kind = names.length === 1 ? '.only' : first.role === 'reference' ? '.reference' : '';
    const text = words.say(`missing.hear${kind}`, { label: first.label, seconds });
    const labels = words.list(others.map(({ label }) => label));
    return others.length ? words.say('missing.more', { text, labels }) : text;
  }

  update() {
    const { session, words, missing } = this;
    this.panel.render();
    this.scale.enable(!session.busy, this.step.lock_sliders ? this.player.selected : null);
    this.foot.render(missing, session.busy && words.say('trial.sending'));
    const complete = !missing;
    if (complete && !this.complete) session.announce(words.say('trial.ready'));
    this.complete = complete;
  }

  get state() {
    const { mode, nonce, training } = this.step;
    return { mode, nonce, training, answer: this.scale.answer, missing: this.missing };
  }

  // ------------------------------------------------ what the listener does

  submit() {
    const { session, player, scale, step } = this;
    if (session.busy) return;
    player.pause();
    const { coverage, plays, switches } = player;
    const comment = this.comment?.value.trim();
    session.ask('answer', { token: session.token, nonce: step.nonce, answer: scale.answer, heard: coverage.slots, plays,
      switches, dwell_ms: this.dwell, ...(comment && { comment }) });
  }

  /** The slot that a key stands for: its letter, or its row. @param {string} name */
  slotOf(name) {
    const { slots } = this.step;
    const byLetter = slots.findIndex(({ role, label }) =>
      name === (role === 'reference' ? 'r' : role === 'x' ? 'x' : label.toLowerCase()));
    return byLetter >= 0 || !/^[1-9]$/.test(name) ? byLetter : slots.length >= Number(name) ? Number(name) - 1 : -1;
  }

  /**
   * @param {string} name
   * @param {KeyboardEvent} event
   */
  key(name, event) {
    const { player, session } = this;
    if (session.busy || !player.slots.length) return false;
    if (player.selected !== null && this.scale.key(name, event, player.selected)) return true;
    if (name === ' ') player.toggle();
    else if (name === 'arrowleft') player.nudge(-SEEK_SECONDS);
    else if (name === 'arrowright') player.nudge(SEEK_SECONDS);
    else if (name === 'l') this.toggleLoop();
    else if (!event.shiftKey && this.slotOf(name) >= 0) this.choose(this.slotOf(name));
    else return false;
    return true;
  }

  /** @param {number} id of the slot */
  choose(id) {
    this.player.choose(id);
    this.session.announce(this.words.say('player.playing', { label: this.names[id] }));
  }

  toggleLoop() {
    this.player.toggleLoop();
    this.session.announce(this.words.say(this.player.looping ? 'player.looped' : 'player.unlooped'));
  }
}
