/**
 * Gives the memory of pixels back at once. V8 counts the bytes outside its heap and marks the whole heap again after every 64 MB of them, which took a tenth of the processor time of an index:
 * its pictures are as short-lived as they are large.
 */

/** Nobody may look at the bytes any more, they are gone. Views of a part of something larger are left alone, and so is what is gone already. */
export function letGo({ buffer, byteLength }: ArrayBufferView): void {
  if (buffer instanceof ArrayBuffer && !buffer.detached && byteLength === buffer.byteLength) buffer.transfer(0);
}
