/**
 * Names of the files in a zip archive, from the directory at its end (PKWARE APPNOTE, 4.3.12 and 4.3.16); where that is cut off, from the
 * entries at its beginning. Enough to tell what an archive is; nothing is unpacked.
 */

const entrySignature = 0x04034b50;
const directorySignature = 0x02014b50;
const endSignature = 0x06054b50;

/** More names than are needed to know an archive. */
const mostNames = 2000;

/** The names, or undefined for a file that is no zip archive. */
export function zipEntryNames(bytes: Uint8Array): readonly string[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 30 || view.getUint32(0, true) !== entrySignature) return undefined;
  const end = endOfDirectory(view);
  const names = end === undefined ? [] : namesFrom(view, view.getUint32(end + 16, true), directorySignature, 46, 28);
  return names.length > 0 ? names : namesFrom(view, 0, entrySignature, 30, 26);
}

/** The end record stands last, before a comment of at most 64 KiB. */
function endOfDirectory(view: DataView): number | undefined {
  for (let at = view.byteLength - 22; at >= Math.max(0, view.byteLength - 22 - 0xffff); at--) if (view.getUint32(at, true) === endSignature) return at;
  return undefined;
}

/** Records one after the other: a head of `headLength` bytes, at `lengthsAt` the lengths of name, extra field and (in the directory) comment. */
function namesFrom(view: DataView, start: number, signature: number, headLength: number, lengthsAt: number): string[] {
  const names: string[] = [];
  const inDirectory = signature === directorySignature;
  for (let at = start; at + headLength <= view.byteLength && names.length < mostNames && view.getUint32(at, true) === signature; ) {
    const length = view.getUint16(at + lengthsAt, true);
    const name = Buffer.from(view.buffer, view.byteOffset + at + headLength, Math.min(length, view.byteLength - at - headLength));
    names.push(name.toString('utf8'));
    const extra = view.getUint16(at + lengthsAt + 2, true);
    const content = inDirectory ? view.getUint16(at + lengthsAt + 4, true) : view.getUint32(at + 18, true);
    at += headLength + length + extra + content;
  }
  return names;
}
