import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Translations } from '../../../assets/listening/translations.js';

const words = new Translations({ language: 'en', missing: '{label}: {seconds} s', end: '{label} {label}',
  'trials.one': '{n} trial', 'trials.other': '{n} trials' });

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
  assert.equal(new Translations({ language: 'de' }).list(['A', 'B', 'C']), 'A, B und C');
  assert.equal(new Translations({ language: 'ja' }).list(['A', 'B', 'C']), 'A、B、C');
});

test('a number is written as the language does it', () => {
  const german = new Translations({ language: 'de', missing: '{label}: {seconds} s' });
  assert.equal(german.say('missing', { label: 'A', seconds: 1.5 }), 'A: 1,5 s');
  assert.equal(german.decimal(2), '2,0');
  assert.equal(words.decimal(2), '2.0');
  assert.equal(words.percent(0.5), '50%');
  assert.equal(german.percent(0.5), '50\u00a0%');
});

test('a count takes the plural of the language', () => {
  assert.equal(words.count('trials', 1), '1 trial');
  assert.equal(words.count('trials', 0), '0 trials');
  const french = new Translations({ language: 'fr', 'trials.one': '{n} essai', 'trials.other': '{n} essais' });
  assert.equal(french.count('trials', 0), '0 essai');
  assert.equal(french.count('trials', 1_000_000), '1\u202f000\u202f000 essais');   // "many", of which there is no text
});

test('a duration has its unit in the language', () => {
  assert.equal(words.duration(1, 'minute'), '1 minute');
  assert.equal(words.duration(30, 'day'), '30 days');
  assert.equal(new Translations({ language: 'de' }).duration(30, 'day'), '30 Tage');
});
