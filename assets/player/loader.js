// The tracks of the player's value, brought into the page: a row per track, and its audio and pictures, each fetched once.

import { fetchPicture } from './pictures.js';
import { TrackRow } from './track-row.js';
import { fetchAudio } from './sound.js';

/** @import { TrackValue } from './interfaces.js' */
/** @import { Picture } from './pictures.js' */
/** @import { Player } from './player.js' */
/** @typedef {'buffer' | 'image' | 'difference'} Kind of file */
/**
 * A row of the player: its value, and what has been loaded of it.
 *
 * @typedef {object} Track
 * @property {string} id
 * @property {number} index
 * @property {TrackValue} spec
 * @property {TrackRow} row
 * @property {{[kind in Kind]?: string}} urls of files that are loaded or on their way
 * @property {Set<Kind>} loading
 * @property {AudioBuffer | null} buffer
 * @property {Picture | null} image
 * @property {Picture | null} difference
 * @property {string | null} problem why there is no audio
 * @property {boolean} lost whether its audio is there but could not be fetched
 */

const JOIN_PAUSE_MS = 100;       // in which arriving sounds are collected, so that they join together
const RETRY_MS = [500, 2000];   // before a download that failed is tried again; then it is given up

/**
 * The result, or the error of the last try.
 *
 * @template Result
 * @param {() => Promise<Result>} read
 * @param {AbortSignal} signal
 * @returns {Promise<Result | Error>}
 */
export async function persistently(read, signal) {
  for (let attempt = 0; ; attempt += 1) {
    const result = await read().catch((error) => error);
    if (!(result instanceof Error) || signal.aborted || attempt === RETRY_MS.length) return result;
    await new Promise((resolve) => { setTimeout(resolve, RETRY_MS[attempt]); });
    if (signal.aborted) return result;
  }
}

export class Loader {
  downloads = new AbortController();
  /** Timer of the sounds that have arrived. @type {ReturnType<typeof setTimeout> | null} */
  joining = null;

  /** @param {Player} player */
  constructor(player) {
    this.player = player;
  }

  /** Another session: nothing of the one before is of use. */
  reset() {
    this.downloads.abort();
    this.downloads = new AbortController();
    for (const { row } of this.player.tracks.values()) row.root.remove();
  }

  /** @param {TrackValue[]} specs */
  update(specs) {
    const { tracks } = this.player;
    for (const [id, track] of tracks) {
      if (specs.some((spec) => spec.id === id)) continue;
      track.row.root.remove();
      tracks.delete(id);
    }
    specs.forEach((spec, index) => this.updateTrack(spec, index));
  }

  /**
   * @param {TrackValue} spec
   * @param {number} index
   * @returns {Track}
   */
  newTrack(spec, index) {
    return { id: spec.id, index, spec, row: new TrackRow(this.player, spec.id), urls: {}, loading: new Set(),
      buffer: null, image: null, difference: null, problem: null, lost: false };
  }

  /**
   * @param {TrackValue} spec
   * @param {number} index
   */
  updateTrack(spec, index) {
    const { player } = this;
    const track = player.tracks.get(spec.id) ?? this.newTrack(spec, index);
    player.tracks.set(spec.id, Object.assign(track, { spec, index }));
    const { rows } = player.controls;
    if (rows.children[index] !== track.row.root) rows.insertBefore(track.row.root, rows.children[index] ?? null);
    if (!spec.audio && track.urls.buffer) this.forget(track);
    const { signal } = this.downloads;
    this.load(track, 'buffer', spec.audio, (url) => fetchAudio(url, player.rate, signal));
    this.load(track, 'image', spec.image, (url) => fetchPicture(url, spec.image?.frequency_max));
    this.load(track, 'difference', spec.difference, (url) => fetchPicture(url, spec.difference?.frequency_max));
  }

  /** The beginning of an output that was stopped, or has failed: there will be no rest. @param {Track} track */
  forget(track) {
    const { player } = this;
    Object.assign(track, { urls: {}, buffer: null, image: null, difference: null, problem: null, lost: false });
    track.loading.clear();
    if (player.selected !== track.id) return;
    player.selected = player.sounds[0]?.id ?? null;
    if (player.transport.playback) player.transport.play();
  }

  /**
   * Fetches a file of a track once per URL. A result that comes after a reset finds its track gone: dropped.
   *
   * @template {Kind} K
   * @param {Track} track
   * @param {K} kind
   * @param {{url: string} | null} file
   * @param {(url: string) => Promise<NonNullable<Track[K]>>} read
   */
  async load(track, kind, file, read) {
    const url = file?.url;
    if (!url || track.urls[kind] === url) return;
    track.urls[kind] = url;
    track.loading.add(kind);
    const result = await persistently(() => read(url), this.downloads.signal);
    if (this.player.tracks.get(track.id) !== track || track.urls[kind] !== url) return;
    const failed = result instanceof Error;
    track.loading.delete(kind);
    Object.assign(track, { [kind]: failed ? null : result });
    if (kind === 'buffer') Object.assign(track, { problem: failed ? result.message : null, lost: failed });
    if (track.buffer && kind === 'buffer') this.welcome(track);
    this.player.refresh();
  }

  /** Fetches once more what could not be fetched. */
  retry() {
    for (const track of this.player.ordered) {
      for (const kind of /** @type {Kind[]} */ (Object.keys(track.urls))) {
        if (!track[kind] && !track.loading.has(kind)) delete track.urls[kind];
      }
      if (!track.urls.buffer) Object.assign(track, { problem: null, lost: false });
    }
    this.update(this.player.value?.tracks ?? []);
    this.player.refresh();
  }

  /** A decoded sound becomes selectable, and soon takes part in the run that is playing. @param {Track} track */
  welcome(track) {
    const { player } = this;
    const idle = !player.transport.playback && !player.chosen;
    if (player.selected === null || (idle && track === player.sounds[0])) player.selected = track.id;
    this.joining ??= setTimeout(() => {
      this.joining = null;
      if (player.sounds.some((sound) => player.transport.lacks(sound))) player.transport.play();
    }, JOIN_PAUSE_MS);
  }
}
