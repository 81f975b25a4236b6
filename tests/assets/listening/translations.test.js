import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { Translations } from '../../../assets/listening/translations.js';

const words = new Translations({ language: 'en', 'list.separator': ', ', missing: '{label}: {seconds} s', end: '{label} {label}' });

test('placeholders are filled in, as often as they stand there', () => {
  assert.equal(words.say('missing', { label: 'A', seconds: 0 }), 'A: 0 s');
  assert.equal(words.say('end', { label: 'B' }), 'B B');
});

test('a missing value or text shows itself instead of nothing', () => {
  assert.equal(words.say('missing', { label: 'A' }), 'A: {seconds} s');
  assert.equal(words.say('no.such.key'), 'no.such.key');
  assert.ok(!words.has('no.such.key'));
});

test('a value is text, not a pattern: it is filled in as it stands', () => {
  assert.equal(words.say('missing', { label: '$& {seconds}', seconds: 1 }), '$& {seconds}: 1 s');
});

test('a list is joined as the language does it', () => {
  assert.equal(words.list(['A', 'B', 'C']), 'A, B, C');
});

test('both languages have the same texts with the same placeholders', () => {
  const read = (name) => JSON.parse(readFileSync(new URL(`../../../assets/listening/${name}.json`, import.meta.url), 'utf8'));
  const [english, chinese] = ['en', 'zh-TW'].map(read);
  assert.deepEqual(Object.keys(chinese).sort(), Object.keys(english).sort());
  const placeholders = (text) => [...new Set(text.match(/\{\w+\}/g))].sort();
  for (const [key, text] of Object.entries(english)) assert.deepEqual(placeholders(chinese[key]), placeholders(text), key);
});
