/** The scan's rules on small folders made for the test. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { classOf, comparePaths, scanImages } from '../../../src-main/dataset/scan.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'switchback-scan-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), 'x');
  }
}
const paths = async (): Promise<string[]> => (await scanImages(root)).images.map((image) => image.path);

it('lists images of all folders in byte order, counts other files and skips hidden ones', async () => {
  put('b/2.JPG', 'b/10.png', 'a.webp', 'Z.bmp', 'notes.txt', 'b/noextension', '.hidden.png', '.git/x.png', 'ä.png', '.DS_Store');
  const scan = await scanImages(root);
  expect(scan.images.map((image) => image.path)).toEqual(['Z.bmp', 'a.webp', 'b/10.png', 'b/2.JPG', 'ä.png']);
  expect(scan.ignored).toBe(2);
  expect(scan.unreadable).toEqual([]);
  expect(scan.images[0]!.sizeBytes).toBe(1);
  expect(Math.abs(scan.images[0]!.modifiedMs - Date.now())).toBeLessThan(60_000);
});

it('orders like UTF-8 bytes where UTF-16 would not', () => {
  const list = ['\u{1f600}', '\uff21', 'a', 'ab', 'B'];
  expect([...list].sort(comparePaths)).toEqual([...list].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  expect([...list].sort(comparePaths)).not.toEqual([...list].sort());
});

it('names NFC, opens by the spelling on disk, and reports two spellings of one name', async () => {
  const decomposed = 'e\u0301.png';
  put(decomposed);
  const alone = await scanImages(root);
  expect(alone.images).toMatchObject([{ path: 'é.png', file: decomposed }]);
  put('é.png');
  const both = await scanImages(root);
  expect(both.images).toMatchObject([{ path: 'é.png', file: decomposed }]);
  expect(both.unreadable).toEqual([{ path: 'é.png', reason: 'another file has the same name in a different Unicode spelling; rename one of them' }]);
});

it('follows links once: no loop, a linked folder outside, a linked file, a link to nothing', async () => {
  const outside = mkdtempSync(join(tmpdir(), 'switchback-outside-'));
  writeFileSync(join(outside, 'far.png'), 'x');
  put('real/1.png');
  symlinkSync(root, join(root, 'real', 'loop'));
  symlinkSync(join(root, 'real'), join(root, 'again'));
  symlinkSync(outside, join(root, 'linked'));
  symlinkSync(join(root, 'real', '1.png'), join(root, 'copy.png'));
  symlinkSync(join(root, 'missing.png'), join(root, 'broken.png'));
  const scan = await scanImages(root);
  rmSync(outside, { recursive: true });
  expect(scan.images.map((image) => image.path)).toEqual(['copy.png', 'linked/far.png', 'real/1.png']);
  expect(scan.unreadable).toEqual([{ path: 'broken.png', reason: 'the link leads nowhere: it does not exist' }]);
});

it('says what is wrong with the root', async () => {
  put('file.png');
  await expect(scanImages(join(root, 'no'))).rejects.toMatchObject({ code: 'NOT_FOUND', message: `The image folder ${join(root, 'no')} cannot be opened: it does not exist. Choose a folder that exists.` });
  await expect(scanImages(join(root, 'file.png'))).rejects.toMatchObject({ code: 'BAD_REQUEST', message: expect.stringContaining('is a file, not a folder of images') });
});

it('stops when asked', async () => {
  put('a.png');
  await expect(scanImages(root, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
  expect(await paths()).toEqual(['a.png']);
});

it('takes the first folder as class', () => {
  expect([classOf('cat/deep/1.png'), classOf('1.png')]).toEqual(['cat', null]);
});
