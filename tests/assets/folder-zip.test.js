import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';

import { crc32, filesBelow, folderFile, zipOf } from '../../assets/folder-zip.js';

const text = (content) => new Blob([content]);

test('the check value of CRC-32', () => {
  assert.equal(crc32(new TextEncoder().encode('123456789')), 0xcbf43926);
  assert.equal(crc32(new Uint8Array()), 0);
});

test('another program unpacks the zip: names, contents and checksums', async () => {
  const entries = [
    { path: 'a/größe <img>.wav', file: text('eins') },
    { path: 'b/clip.wav', file: text('') },
    { path: 'b/deeper/clip.wav', file: text('x'.repeat(70000)) },
  ];
  const place = mkdtempSync(join(tmpdir(), 'zip-'));
  writeFileSync(join(place, 'in.zip'), Buffer.from(await (await zipOf(entries)).arrayBuffer()));
  const script = 'import json, sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; '
    + 'print(json.dumps({i.filename: z.read(i).decode() for i in z.infolist()}))';
  const found = JSON.parse(execFileSync('python3', ['-c', script, join(place, 'in.zip')], { encoding: 'utf8' }));
  rmSync(place, { recursive: true });
  assert.deepEqual(found, { 'a/größe <img>.wav': 'eins', 'b/clip.wav': '', 'b/deeper/clip.wav': 'x'.repeat(70000) });
});

/** A folder as a browser gives it, its children in parts of one. */
function folder(fullPath, children) {
  const createReader = () => {
    const parts = [...children.map((child) => [child]), []];
    return { readEntries: (done) => done(parts.shift()) };
  };
  return { isDirectory: true, name: fullPath.split('/').pop(), fullPath, createReader };
}

const plain = (fullPath) => ({ isDirectory: false, name: fullPath.split('/').pop(), fullPath, file: (done) => done(text(fullPath)) });

test('files below folders are found at every depth', async () => {
  const found = await filesBelow([
    folder('/b', [plain('/b/2.wav'), folder('/b/in', [plain('/b/in/3.wav')]), plain('/b/1.wav')]),
    folder('/a', [plain('/a/1.wav')]),
  ]);
  assert.deepEqual(found.map(({ path }) => path), ['b/1.wav', 'b/2.wav', 'a/1.wav', 'b/in/3.wav']);
});

test('a zip is called after the one folder in it', async () => {
  assert.equal((await folderFile([{ path: 'mine/a/1.wav', file: text('') }])).name, 'mine.zip');
  assert.equal((await folderFile([{ path: 'a/1', file: text('') }, { path: 'b/1', file: text('') }])).name, 'folders.zip');
});
