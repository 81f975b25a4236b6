// Folders that are dropped or chosen become one zip on their way to the app: an upload knows the names of files, not of folders.
// The zip is stored, not compressed (PKWARE's APPNOTE 6.3, sections 4.3 and 4.4), since recordings hardly get smaller.

/** @typedef {{ path: string, file: Blob }} Entry path: below what was dropped, with slashes between folders */

const UTF8_NAMES = 0x0800;
const MAX_FILES = 2000; // as many as the app unpacks
const EPOCH = 0x21; // 1 January 1980, the zip's first day: the date of a file says nothing here

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** CRC-32 as in zip and PNG. @param {Uint8Array} bytes */
export function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/**
 * A record of numbers, little-endian.
 *
 * @param {[number, 2 | 4][]} fields value and bytes of each
 */
function record(fields) {
  const bytes = new DataView(new ArrayBuffer(fields.reduce((sum, [, size]) => sum + size, 0)));
  let at = 0;
  for (const [value, size] of fields) {
    if (size === 2) bytes.setUint16(at, value, true);
    else bytes.setUint32(at, value, true);
    at += size;
  }
  return bytes.buffer;
}

/**
 * A zip of the files, in their order.
 *
 * @param {Entry[]} entries
 * @returns {Promise<Blob>}
 */
export async function zipOf(entries) {
  /** @type {BlobPart[]} */
  const local = [];
  /** @type {BlobPart[]} */
  const central = [];
  let offset = 0;
  let directory = 0;
  for (const { path, file } of entries) {
    const name = new TextEncoder().encode(path);
    const crc = crc32(new Uint8Array(await file.arrayBuffer()));
    /** @type {[number, 2 | 4][]} */
    const common = [
      [UTF8_NAMES, 2], [0, 2], [0, 2], [EPOCH, 2], [crc, 4], [file.size, 4], [file.size, 4], [name.length, 2], [0, 2],
    ];
    const head = record([[0x04034b50, 4], [20, 2], ...common]);
    const listed = record([[0x02014b50, 4], [20, 2], [20, 2], ...common, [0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]]);
    local.push(head, name, file);
    central.push(listed, name);
    offset += head.byteLength + name.length + file.size;
    directory += listed.byteLength + name.length;
  }
  const count = entries.length;
  const end = record([[0x06054b50, 4], [0, 2], [0, 2], [count, 2], [count, 2], [directory, 4], [offset, 4], [0, 2]]);
  return new Blob([...local, ...central, end], { type: 'application/zip' });
}

/**
 * The files below dropped files and folders.
 *
 * @param {FileSystemEntry[]} dropped
 * @returns {Promise<Entry[]>}
 */
export async function filesBelow(dropped) {
  /** @type {Entry[]} */
  const found = [];
  const waiting = [...dropped];
  for (let entry = waiting.shift(); entry && found.length <= MAX_FILES; entry = waiting.shift()) {
    if (entry.isDirectory) waiting.push(...await childrenOf(/** @type {FileSystemDirectoryEntry} */ (entry)));
    else found.push({ path: entry.fullPath.replace(/^\//, ''), file: await fileOf(/** @type {FileSystemFileEntry} */ (entry)) });
  }
  return found;
}

/** @param {FileSystemFileEntry} entry @returns {Promise<File>} */
function fileOf(entry) {
  return new Promise((resolve, reject) => { entry.file(resolve, reject); });
}

/** A reader gives a hundred at a time, and an empty list at the end. @param {FileSystemDirectoryEntry} folder */
async function childrenOf(folder) {
  const reader = folder.createReader();
  /** @type {FileSystemEntry[]} */
  const found = [];
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const more = await new Promise((resolve, reject) => { reader.readEntries(resolve, reject); });
    if (!more.length) return found.sort((a, b) => (a.name < b.name ? -1 : 1));
    found.push(...more);
  }
}

/**
 * A zip of the entries as a file that is called after the folder they have in common.
 *
 * @param {Entry[]} entries
 */
export async function folderFile(entries) {
  const tops = new Set(entries.map(({ path }) => path.split('/')[0]));
  const name = tops.size === 1 ? [...tops][0] : 'folders';
  return new File([await zipOf(entries)], `${name}.zip`, { type: 'application/zip' });
}
