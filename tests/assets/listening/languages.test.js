// The languages of the rating page: which one a browser gets, and whether each has every text.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import { bestLanguage } from '../../../assets/listening/languages.js';

const LISTENING = new URL('../../../assets/listening/', import.meta.url);
const read = (path) => readFileSync(new URL(path, LISTENING), 'utf8');
const tags = readdirSync(new URL('languages/', LISTENING)).map((name) => name.replace('.json', ''));
const files = Object.fromEntries(tags.map((tag) => {
  const { _review: review = {}, ...texts } = JSON.parse(read(`languages/${tag}.json`));
  return [tag, { texts, review }];
}));
const english = files.en.texts;
const others = tags.filter((tag) => tag !== 'en');

// Texts that may be the same in English and another language
const SHARED = {
  all: ['language.direction', 'sentence.separator', 'privacy.owner', 'mushra.value', 'ab.a', 'ab.b', 'keys.name.enter',
    'keys.name.shift', 'keys.name.pages', 'keys.name.ends', 'keys.rate.ends'],
  de: ['player.pause'],
  es: ['dcr.5'],
  fr: ['dcr.5', 'player.pause', 'volume.level'],
};

test('a browser gets the language that is nearest to what it asks for', () => {
  const offered = ['de', 'en', 'es', 'fr', 'ja', 'zh-CN', 'zh-TW'];
  const expected = {
    de: 'de', 'de-AT': 'de', 'en-GB': 'en', 'es-419': 'es', 'fr-CA': 'fr', 'ja-JP': 'ja', zh: 'zh-CN', 'zh-Hans': 'zh-CN',
    'zh-SG': 'zh-CN', 'zh-CN': 'zh-CN', 'zh-HK': 'zh-TW', 'zh-MO': 'zh-TW', 'zh-Hant': 'zh-TW', 'zh-Hant-HK': 'zh-TW', 'zh-TW': 'zh-TW',
    'zh-tw': 'zh-TW', pt: 'en', 'de-Cyrl': 'en', 'no tag': 'en', '': 'en',
  };
  for (const [wanted, best] of Object.entries(expected)) assert.equal(bestLanguage([wanted], offered), best, wanted);
});

test('the first language that there is wins, not the first of the list of texts', () => {
  assert.equal(bestLanguage(['pt-BR', 'fr', 'de'], ['de', 'en', 'fr']), 'fr');
  assert.equal(bestLanguage([undefined, null, 'ja'], ['en', 'ja']), 'ja');
  assert.equal(bestLanguage([], ['de', 'en']), 'en');
  assert.equal(bestLanguage(['pt-PT'], ['en', 'pt-BR', 'pt-PT']), 'pt-PT');
  assert.equal(bestLanguage(['pt-AO'], ['en', 'pt-BR', 'pt-PT']), 'pt-BR');
});

test('a file is named after its language', () => {
  for (const tag of tags) {
    assert.equal(files[tag].texts.language, tag);
    assert.equal(Intl.getCanonicalLocales(tag)[0], tag);
  }
});

test('every language has the same texts in the same order, none of them empty', () => {
  for (const tag of tags) {
    assert.deepEqual(Object.keys(files[tag].texts), Object.keys(english), tag);
    const blank = Object.entries(files[tag].texts).filter(([key, text]) => typeof text !== 'string'
      || (key !== 'sentence.separator' && !text.trim()));
    assert.deepEqual(blank, [], tag);
  }
});

test('every language has the same placeholders', () => {
  const placeholders = (text) => [...new Set(text.match(/\{\w+\}/g))].sort();
  for (const tag of others) {
    for (const [key, text] of Object.entries(english)) {
      assert.deepEqual(placeholders(files[tag].texts[key]), placeholders(text), `${tag}: ${key}`);
    }
  }
});

test('no text is left in English', () => {
  for (const tag of others) {
    const same = Object.keys(english).filter((key) => files[tag].texts[key] === english[key]);
    const allowed = new Set([...SHARED.all, ...(SHARED[tag] ?? [])]);
    assert.deepEqual(same.filter((key) => !allowed.has(key)), [], tag);
  }
});

test('no two categories of a scale have the same label', () => {
  const scales = { acr: [1, 5], dcr: [1, 5], ccr: [-3, 3], similarity: [1, 5] };
  for (const tag of tags) {
    for (const [scale, [low, high]] of Object.entries(scales)) {
      const labels = Object.keys(english).filter((key) => new RegExp(`^${scale}\\.-?\\d$`).test(key)).map((key) => files[tag].texts[key]);
      assert.equal(new Set(labels).size, high - low + 1, `${tag}: ${scale}`);
    }
  }
});

test('what a native speaker should look at is a text of the file', () => {
  for (const tag of others) {
    const { texts, review } = files[tag];
    assert.ok(Object.keys(review).length, tag);
    assert.deepEqual(Object.keys(review).filter((key) => !(key in texts)), [], tag);
  }
});

test('every text is used by the code of the page', () => {
  const modules = readdirSync(LISTENING, { recursive: true }).filter((name) => name.endsWith('.js'));
  const code = modules.map((name) => read(name)).join('\n');
  const literals = [...code.matchAll(/'([\w.-]+)'/g)].map(([, text]) => text);
  // `scale.${value}`, or `${step}.title`
  const templates = [...code.matchAll(/`((?:[a-z]+\.[\w.]*|(?=\$\{\w+\}\.[a-z]+`))\$\{[^{}]*\}[\w.]*)`/g)]
    .map(([, text]) => text.startsWith('$') ? text.replace(/\$\{\w+\}/, '[a-z_]+') : text.replace(/\$\{[^{}]*\}/, '[\\w.-]*'))
    .map((text) => new RegExp(`^${text}$`));
  const used = (key) => literals.includes(key) || templates.some((template) => template.test(key));
  const known = new Set(['language', 'language.name']);   // read as a field, and by the server for the menu
  const unused = Object.keys(english).filter((key) => !known.has(key) && !used(key) && !used(key.replace(/\.(one|other)$/, '')));
  assert.deepEqual(unused, []);
  assert.deepEqual(['nowhere.to.be.found', 'welcome.nothing', 'trial.nothing'].filter(used), [], 'the search can fail');
});
