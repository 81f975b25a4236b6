import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Files, bytesOf, unsealed } from '../../../assets/sent/package.js';

const FILES = { '#0': ['audio/flac', 'AP8Q'], '#1': ['image/png', 'AQID'] };

test('base64 becomes bytes, all 256 of them', () => {
  assert.deepEqual([...bytesOf('AP8Q')], [0, 255, 16]);
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  assert.deepEqual(bytesOf(Buffer.from(all).toString('base64')), all);
});

test('what is sealed comes back, beyond Latin letters too', () => {
  const content = { title: 'ω · “HiFi-GAN” </script>', n: 1 };
  const sealed = Buffer.from(JSON.stringify(content)).toString('base64');
  assert.ok(!sealed.includes('HiFi'));
  assert.deepEqual(unsealed(sealed), content);
});

test('a file has one address, under which it can be read', async () => {
  const files = new Files(FILES);
  const url = files.url('#0');
  assert.equal(files.url('#0'), url);
  assert.notEqual(files.url('#1'), url);
  const answer = await fetch(url);
  assert.equal(answer.headers.get('content-type'), 'audio/flac');
  assert.deepEqual([...new Uint8Array(await answer.arrayBuffer())], [0, 255, 16]);
  files.close();
  await assert.rejects(fetch(url));
});

test('a value gets addresses in the place of names, and stays as it was', () => {
  const files = new Files(FILES);
  const value = { tracks: [{ id: 'A', audio: { url: '#0' }, image: null, difference: { url: '#1' } }] };
  const [track] = files.placedIn(value).tracks;
  assert.deepEqual(track, { id: 'A', audio: { url: files.url('#0') }, image: null, difference: { url: files.url('#1') } });
  assert.equal(value.tracks[0].audio.url, '#0');
  files.close();
});
