// The panel of the blind player: play, time, loop, and a row per slot with its letter, its bar and how much of it was
// heard.

import { drawing, el, icon, iconButton, setAttribute, setText } from '../../player/elements.js';
import { clock } from '../../player/numbers.js';
import { HeardBar } from './heard-bar.js';

const TICK = 'M9.6 16.6 5 12l1.4-1.4 3.2 3.2 8-8L19 7.2z';

/** @import { BlindPlayer } from './blind-player.js' */
/** @import { Slot } from '../messages.js' */
/** @import { Translations } from '../translations.js' */

/**
 * Name of a slot: its letter, or what everybody may know about it.
 *
 * @param {Translations} words
 * @param {Pick<Slot, 'role' | 'label'>} slot
 */
export function slotName(words, { role, label }) {
  if (role === 'take') return label;
  return role === 'x' ? 'X' : words.say(`player.${role}`);
}

/** Holds nodes and no state: what it shows it asks the player. */
export class PlayerPanel {
  /**
   * @param {object} parts
   * @param {BlindPlayer} parts.player
   * @param {Translations} parts.words
   * @param {Pick<Slot, 'role' | 'label'>[]} parts.slots
   * @param {number} parts.need s that have to be heard of each
   * @param {(HTMLElement | null)[]} [parts.beside] nodes that belong to a slot, such as its slider
   * @param {HTMLElement | null} [parts.top] above all rows
   */
  constructor({ player, words, slots, need, beside = [], top = null }) {
    this.player = player;
    this.words = words;
    this.need = need;
    this.play = iconButton('play', words.say('player.play'), () => player.toggle(), 'booth-play');
    this.now = el('span', 'booth-now');
    this.total = el('span', 'booth-total');
    this.loop = el('button', 'booth-tool', { type: 'button', onclick: () => player.toggleLoop() },
      icon('loop'), el('span', 'booth-tool-word', { text: words.say('player.loop') }));
    this.rows = slots.map((slot, id) => this.buildRow(slot, id, slots.length === 1, beside[id]));
    this.list = el('div', 'booth-rows', { role: 'group', 'aria-label': words.say('player.slots') },
      top, ...this.rows.map(({ root }) => root));
    this.root = el('section', 'booth-panel', { 'aria-label': words.say('player.name') },
      this.buildTransport(), this.list);
    this.root.classList.toggle('booth-rated', beside.length > 0);
    this.render();
  }

  buildTransport() {
    return el('div', 'booth-transport', {}, this.play, el('div', 'booth-time', {}, this.now, this.total), this.loop);
  }

  /**
   * @param {Pick<Slot, 'role' | 'label'>} slot
   * @param {number} id
   * @param {boolean} alone
   * @param {HTMLElement | null} [beside]
   */
  buildRow(slot, id, alone, beside) {
    const { player, words } = this;
    const name = slotName(words, slot);
    const bar = new HeardBar(player, id);
    const key = alone ? null : el('button', 'booth-slot', { type: 'button', onclick: () => player.choose(id),
      'aria-label': words.say('player.slot', { label: name }), text: name });
    const done = el('span', 'booth-done', { hidden: '' }, drawing(TICK),
      el('span', 'booth-sr', { text: words.say('player.enough') }));
    const count = el('span', 'booth-count');
    const root = el('div', 'booth-row', { 'data-role': slot.role }, key, bar.root,
      el('div', 'booth-mark', {}, done, count), beside);
    return { id, root, key, bar, done, count };
  }

  render() {
    const { player, words } = this;
    const label = words.say(player.playing ? 'player.pause' : 'player.play');
    this.play.disabled = this.loop.disabled = !player.slots.length;
    if (this.play.title !== label) {
      this.play.replaceChildren(icon(player.playing ? 'pause' : 'play'));
      this.play.title = label;
      setAttribute(this.play, 'aria-label', label);
    }
    setText(this.now, clock(player.position));
    setText(this.total, ` / ${clock(player.duration)}`);
    setAttribute(this.loop, 'aria-pressed', player.looping);
    this.rows.forEach((row) => this.renderRow(row));
  }

  /** @param {ReturnType<PlayerPanel['buildRow']>} row */
  renderRow({ id, root, key, bar, done, count }) {
    const { player, words, need } = this;
    const loaded = player.slots.length > 0;
    const heard = loaded ? player.coverage.of(id) : 0;
    const enough = loaded && !player.coverage.missing(id, need);
    root.classList.toggle('booth-audible', loaded && player.selected === id);
    root.classList.toggle('booth-enough', enough);
    if (key) {
      key.disabled = !loaded;
      setAttribute(key, 'aria-pressed', loaded && player.selected === id);
    }
    done.hidden = !enough;
    count.hidden = enough;
    setText(count,
      words.say('player.heard', { heard: words.decimal(Math.min(heard, need)), need: Number(need.toFixed(1)) }));
    bar.render();
  }
}
