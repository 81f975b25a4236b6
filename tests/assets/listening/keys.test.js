import assert from 'node:assert/strict';
import { test } from 'node:test';

import { keyName } from '../../../assets/listening/keys.js';

test('a key is what it writes, in lower case', () => {
  assert.equal(keyName({ key: 'A', code: 'KeyA' }), 'a');
  assert.equal(keyName({ key: ' ', code: 'Space' }), ' ');
  assert.equal(keyName({ key: 'PageUp', code: 'PageUp' }), 'pageup');
  assert.equal(keyName({ key: 'q', code: 'KeyA' }), 'q');   // a French layout: what is written counts
});

test('a key that writes no Latin letter is known by its place', () => {
  assert.equal(keyName({ key: 'ф', code: 'KeyA' }), 'a');
  assert.equal(keyName({ key: 'Process', code: 'KeyB' }), 'b');   // an input method is composing
  assert.equal(keyName({ key: '\u0664', code: 'Digit4' }), '4');
  assert.equal(keyName({ key: 'Process', code: 'Space' }), 'process');
});
