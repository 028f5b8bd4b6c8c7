/**
 * Text for a terminal. Names of models, layers and files are anybody's text, and a terminal obeys some characters: it may be told to hide lines, rename its
 * window or type for the person. Such characters are shown as their code instead.
 */

/** Control characters but tab and line feed; marks that turn the direction of writing. */
const obeyed = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The same text with nothing in it that a terminal obeys, e.g. `\u001b` for an escape. */
export function printable(text: string): string {
  return text.replaceAll(obeyed, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
