// A comparison inside a file: the player's value, and the sounds and pictures that it names, in base64.

/** @import { PlayerValue } from '../player/interfaces.js' */
/**
 * The JSON that eval/reports/player/package.py writes.
 *
 * @typedef {object} Package
 * @property {PlayerValue} value with names of files in the place of addresses
 * @property {{[name: string]: [type: string, base64: string]}} files
 * @property {string} [sealed] what a click shows, see `unsealed`
 */

/** @param {string} base64 */
export function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** What was put where nobody reads it by accident. @param {string} sealed */
export function unsealed(sealed) {
  return JSON.parse(new TextDecoder().decode(bytesOf(sealed)));
}

/** The files of a package, each with an address once it is asked for. */
export class Files {
  /** @type {Map<string, string>} */
  urls = new Map();

  /** @param {Package['files']} files */
  constructor(files) {
    this.files = files;
  }

  /** @param {string} name */
  url(name) {
    const known = this.urls.get(name);
    if (known) return known;
    const [type, content] = this.files[name];
    const url = URL.createObjectURL(new Blob([bytesOf(content)], { type }));
    this.urls.set(name, url);
    return url;
  }

  /**
   * The value with addresses in the place of names.
   *
   * @param {PlayerValue} value
   * @returns {PlayerValue}
   */
  placedIn(value) {
    /** @type {<File extends {url: string}>(file: File | null) => File | null} */
    const placed = (file) => file && { ...file, url: this.url(file.url) };
    const tracks = value.tracks.map((track) => ({
      ...track, audio: placed(track.audio), image: placed(track.image), difference: placed(track.difference),
    }));
    return { ...value, tracks };
  }

  /** Takes the addresses back: nothing is played or drawn from here any more. */
  close() {
    for (const url of this.urls.values()) URL.revokeObjectURL(url);
    this.urls.clear();
  }
}
