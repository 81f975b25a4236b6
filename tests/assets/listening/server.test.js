import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Memory, Refusal, outcomeOf, parsed, wave } from '../../../assets/listening/server.js';

const bytes = (text) => new TextEncoder().encode(text);
const refusal = (error) => bytes(JSON.stringify({ error, detail: 'A sentence.' }));

test('an answer that can be read is the content', () => {
  assert.deepEqual(outcomeOf(200, bytes('{"step": "done", "code": "LAB"}'), parsed),
    { content: { step: 'done', code: 'LAB' } });
});

test('a body that stops half way is asked for again', () => {
  assert.deepEqual(outcomeOf(200, bytes('{"step": "do'), parsed), { reason: 'network' });
  assert.deepEqual(outcomeOf(200, bytes('null'), parsed), { reason: 'network' });
  assert.deepEqual(outcomeOf(200, bytes('<html>'), wave), { reason: 'network' });
});

test('a wav file is passed on as it is', () => {
  const file = bytes('RIFF....WAVE');
  assert.deepEqual(new Uint8Array(outcomeOf(200, file, wave).content), file);
});

test('a server that is busy or cannot store is asked again, and so is a proxy that fails', () => {
  assert.deepEqual(outcomeOf(503, refusal('storage'), parsed), { reason: 'storage' });
  assert.deepEqual(outcomeOf(503, bytes('<html>'), parsed), { reason: 'busy' });
  assert.deepEqual(outcomeOf(502, bytes('<html>'), parsed), { reason: 'network' });
  assert.deepEqual(outcomeOf(429, bytes(''), parsed), { reason: 'network' });
});

test('a refusal is final, and has its code', () => {
  for (const [status, code] of [[409, 'stale'], [403, 'bad_token'], [422, 'not_heard']]) {
    const outcome = outcomeOf(status, refusal(code), parsed);
    assert.ok(outcome.refusal instanceof Refusal);
    assert.deepEqual([outcome.refusal.code, outcome.refusal.message], [code, 'A sentence.']);
  }
  assert.equal(outcomeOf(404, bytes('not JSON'), parsed).refusal.code, 'other');
});

test('without storage the memory lasts as long as the page', () => {
  const memory = new Memory('voices');
  assert.equal(memory.get('token'), null);
  memory.set('token', 'abc');
  assert.equal(memory.get('token'), 'abc');
  memory.set('token', null);
  assert.equal(memory.get('token'), null);
});

test('the raters of two studies are kept apart in the storage of one browser', (t) => {
  const stored = new Map();
  globalThis.localStorage = { getItem: (name) => stored.get(name) ?? null, removeItem: (name) => stored.delete(name),
    setItem: (name, value) => stored.set(name, value) };
  t.after(() => { delete globalThis.localStorage; });
  new Memory('one').set('token', 'abc');
  assert.equal(new Memory('one').get('token'), 'abc');   // as after a reload
  assert.equal(new Memory('two').get('token'), null);
});
