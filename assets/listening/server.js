// The server: the calls of a session, and patience where the connection has none.
//
// Whatever was asked is asked again until there is an answer: a rating is never lost because a train went into a
// tunnel. Asking twice is safe: an answer carries the nonce of its trial, and a nonce counts once.

const WAITS = [1, 2, 4, 8, 15];   // s before asking again; the last one repeats
const PATIENCE = 30_000;          // ms for one attempt
const PASSING = new Set(['busy', 'storage']);

/** A refusal: asking again would not change it. */
export class Refusal extends Error {
  constructor(code, detail) {
    super(detail ?? code);
    this.code = code;
  }
}

/** The rater's token. Where a browser forbids storage, the session lasts as long as the page. */
export class Memory {
  constructor(study) {
    this.names = { token: `lab-rater:${study}`, level: `lab-volume:${study}` };
    this.values = {};
  }

  get(name) {
    try {
      return localStorage.getItem(this.names[name]) ?? this.values[name] ?? null;
    } catch {
      return this.values[name] ?? null;
    }
  }

  set(name, value) {
    this.values[name] = value;
    try {
      if (value === null) localStorage.removeItem(this.names[name]);
      else localStorage.setItem(this.names[name], value);
    } catch { /* kept in `values` */ }
  }
}

export class Server {
  /** `ontrouble({reason, seconds} | null)`: the connection is lost and will be tried again, or is back. */
  constructor(ontrouble) {
    Object.assign(this, { ontrouble, waits: new Set() });
    this.root = new URL('../', document.baseURI);   // of the app, behind whatever prefix a proxy gives it
    window.addEventListener('online', () => this.hurry());
  }

  /** POST listening/`name`; the step the server answers with. Errors: `Refusal`. */
  async call(name, body) {
    const init = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
    const response = await this.insist(new URL(`listening/${name}`, this.root), init);
    return response.json();
  }

  /** The bytes of a sound. Never from a cache: its address is good for one trial. Errors: `Refusal`. */
  async sound(url, signal) {
    const response = await this.insist(new URL(url, this.root), { cache: 'no-store' }, signal);
    return response.arrayBuffer();
  }

  async insist(url, init, signal) {
    for (let attempt = 0; ; attempt += 1) {
      const [response, reason] = await this.attempt(url, init);
      if (signal?.aborted) throw new Refusal('aborted');
      if (response) {
        if (attempt) this.ontrouble(null);
        return response;
      }
      await this.wait(WAITS[Math.min(attempt, WAITS.length - 1)], reason);
    }
  }

  /** [response] or [null, why it is worth asking again]. */
  async attempt(url, init) {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(PATIENCE) }).catch(() => null);
    if (response?.ok) return [response];
    if (!response) return [null, 'network'];
    const { error, detail } = await response.json().catch(() => ({}));
    if (PASSING.has(error)) return [null, error];
    if (response.status >= 500 || response.status === 429) return [null, response.status === 503 ? 'busy' : 'network'];
    this.ontrouble(null);
    throw new Refusal(error ?? 'other', detail);
  }

  /** Counts down in the open; `hurry` ends it. */
  async wait(seconds, reason) {
    let hurry;
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
