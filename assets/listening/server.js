// The server: the calls of a session, and patience where the connection has none.
//
// A request is sent again until there is an answer: a rating is never lost because a train went into a
// tunnel. Asking twice is safe: an answer carries the nonce of its trial, and a nonce counts once.

/** @import { Calls, Step, Trouble } from './messages.js' */

const RETRY_SECONDS = [1, 2, 4, 8, 15];   // before asking again; the last one repeats
const MAX_SILENCE_MS = 30_000;           // in which nothing arrives, after which an attempt is given up
const TRANSIENT = new Set(['busy', 'storage']);

/** A refusal: asking again would not change it. */
export class Refusal extends Error {
  /**
   * @param {string} code
   * @param {string} [detail]
   */
  constructor(code, detail) {
    super(detail ?? code);
    this.code = code;
  }
}

/** @typedef {'token' | 'level' | 'language' | 'trial'} Remembered */

/** The rater's token, volume and language, and what was heard of the open trial. Where a browser forbids storage, the session lasts as long as the page. */
export class Memory {
  /** @param {string} study */
  constructor(study) {
    this.names = { token: `lab-rater:${study}`, level: `lab-volume:${study}`,
      language: `lab-language:${study}`, trial: `lab-trial:${study}` };
    /** @type {Partial<Record<Remembered, string | null>>} */
    this.values = {};
  }

  /** @param {Remembered} name */
  get(name) {
    try {
      return localStorage.getItem(this.names[name]) ?? this.values[name] ?? null;
    } catch {
      return this.values[name] ?? null;
    }
  }

  /**
   * @param {Remembered} name
   * @param {string | null} value
   */
  set(name, value) {
    this.values[name] = value;
    try {
      if (value === null) localStorage.removeItem(this.names[name]);
      else localStorage.setItem(this.names[name], value);
    } catch { /* kept in `values` */ }
  }
}

/** @type {(bytes: Uint8Array) => any} */
export const parsed = (bytes) => JSON.parse(new TextDecoder().decode(bytes));

/** @param {Uint8Array<ArrayBuffer>} bytes */
export function wave(bytes) {
  if (String.fromCharCode(...bytes.subarray(0, 4)) !== 'RIFF') throw new Error('This is not the sound.');
  return bytes.buffer;
}

/**
 * @template Result
 * @param {() => Result} work
 */
function safely(work) {
  try {
    return work();
  } catch {
    return null;
  }
}

/**
 * What an answer comes to: content, a reason why it is worth asking again, or a refusal.
 *
 * @template Content
 * @param {number} status
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {(bytes: Uint8Array<ArrayBuffer>) => Content} read
 * @returns {{content: Content, reason?: undefined} | {content?: undefined, reason: string} | {refusal: Refusal}}
 */
export function outcomeOf(status, bytes, read) {
  if (status < 300) {
    const content = safely(() => read(bytes));
    return content ? { content } : { reason: 'network' };
  }
  const { error, detail } = safely(() => parsed(bytes)) ?? {};
  if (TRANSIENT.has(error)) return { reason: error };
  if (status >= 500 || status === 429) return { reason: status === 503 ? 'busy' : 'network' };
  return { refusal: new Refusal(error ?? 'other', detail) };
}

/**
 * Status and body of a whole answer. However slow, it may take its time as long as something arrives.
 *
 * @param {URL} url
 * @param {RequestInit} init
 * @returns {Promise<[status: number, bytes: Uint8Array<ArrayBuffer>]>}
 */
async function received(url, init) {
  const impatience = new AbortController();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => impatience.abort(), MAX_SILENCE_MS);
  };
  try {
    wait();
    const response = await fetch(url, { ...init, signal: impatience.signal });
    const parts = [];
    const reader = response.body?.getReader();
    for (let part = await reader?.read(); part && !part.done; part = await reader?.read()) {
      parts.push(part.value);
      wait();
    }
    return [response.status, new Uint8Array(await new Blob(parts).arrayBuffer())];
  } finally {
    clearTimeout(timer);
  }
}

export class Server {
  /** @param {(trouble: Trouble | null) => void} ontrouble the connection is lost and will be tried again, or is back */
  constructor(ontrouble) {
    this.ontrouble = ontrouble;
    /** @type {Set<() => void>} */
    this.waits = new Set();
    this.root = new URL('../', document.baseURI);   // of the app, behind whatever prefix a proxy gives it
    window.addEventListener('online', () => this.hurry());
  }

  /**
   * POST listening/`name`; the step the server answers with. Errors: `Refusal`.
   *
   * @template {keyof Calls} Name
   * @param {Name} name
   * @param {Calls[Name]} body
   * @returns {Promise<Step>}
   */
  async call(name, body) {
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
    return this.insist(new URL(`listening/${name}`, this.root), init, parsed);
  }

  /**
   * The bytes of a sound. Never from a cache: its address is good for one trial. Errors: `Refusal`.
   *
   * @param {string} url
   * @param {AbortSignal} [signal]
   */
  async sound(url, signal) {
    return this.insist(new URL(url, this.root), { cache: 'no-store' }, wave, signal);
  }

  /**
   * What `read` makes of the body. A body that stops half way, or is not what was to come, is no answer yet.
   *
   * @template Content
   * @param {URL} url
   * @param {RequestInit} init
   * @param {(bytes: Uint8Array<ArrayBuffer>) => Content} read
   * @param {AbortSignal} [signal]
   */
  async insist(url, init, read, signal) {
    for (let attempt = 0; ; attempt += 1) {
      const { content, reason } = await this.attempt(url, init, read);
      if (attempt && (!reason || signal?.aborted)) this.ontrouble(null);
      if (signal?.aborted) throw new Refusal('aborted');
      if (reason === undefined) return content;
      await this.wait(RETRY_SECONDS[Math.min(attempt, RETRY_SECONDS.length - 1)], reason);
    }
  }

  /**
   * The content, or the reason why it is worth asking again.
   *
   * @template Content
   * @param {URL} url
   * @param {RequestInit} init
   * @param {(bytes: Uint8Array<ArrayBuffer>) => Content} read
   * @returns {Promise<{content: Content, reason?: undefined} | {content?: undefined, reason: string}>}
   */
  async attempt(url, init, read) {
    const answer = await received(url, init).catch(() => null);
    const outcome = answer ? outcomeOf(...answer, read) : { reason: 'network' };
    if (!('refusal' in outcome)) return outcome;
    this.ontrouble(null);
    throw outcome.refusal;
  }

  /**
   * Counts down in the open; `hurry` ends it.
   *
   * @param {number} seconds
   * @param {string} reason
   */
  async wait(seconds, reason) {
    let hurry = () => {};
    /** @type {Promise<boolean>} */
    const hurried = new Promise((resolve) => { hurry = () => resolve(true); });
    this.waits.add(hurry);
    for (let left = seconds, rushed = false; left > 0 && !rushed; left -= 1) {
      this.ontrouble({ reason, seconds: left });
      rushed = await Promise.race([hurried, new Promise((resolve) => { setTimeout(resolve, 1000, false); })]);
    }
    this.waits.delete(hurry);
  }

  hurry() {
    this.waits.forEach((hurry) => hurry());
  }
}
