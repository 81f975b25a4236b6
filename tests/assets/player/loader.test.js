import assert from 'node:assert/strict';
import { test } from 'node:test';

import { persistently } from '../../../assets/player/loader.js';

/** Lets promises settle that wait for no timer. */
const settled = () => new Promise((resolve) => { setImmediate(resolve); });

/** A download that fails so many times before it succeeds; `tries` counts. */
function download(failures) {
  const read = async () => {
    read.tries += 1;
    if (read.tries <= failures) throw new Error(`failure ${read.tries}`);
    return 'sound';
  };
  read.tries = 0;
  return read;
}

test('a download that succeeds is not repeated', async () => {
  const read = download(0);
  assert.equal(await persistently(read, new AbortController().signal), 'sound');
  assert.equal(read.tries, 1);
});

test('a download that fails is repeated after half a second, then after two', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const read = download(2);
  const result = persistently(read, new AbortController().signal);
  await settled();
  t.mock.timers.tick(499);
  await settled();
  assert.equal(read.tries, 1);
  t.mock.timers.tick(1);
  await settled();
  assert.equal(read.tries, 2);
  t.mock.timers.tick(2000);
  assert.equal(await result, 'sound');
  assert.equal(read.tries, 3);
});

test('after the third failure the last error is the result', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const read = download(Infinity);
  const result = persistently(read, new AbortController().signal);
  for (const wait of [500, 2000]) {
    await settled();
    t.mock.timers.tick(wait);
  }
  assert.equal((await result).message, 'failure 3');
  assert.equal(read.tries, 3);
});

test('nothing is repeated for a session that has been replaced', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const session = new AbortController();
  const read = download(Infinity);
  const result = persistently(read, session.signal);
  await settled();
  session.abort();
  t.mock.timers.tick(500);
  assert.equal((await result).message, 'failure 1');
  assert.equal(read.tries, 1);
});
