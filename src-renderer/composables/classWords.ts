/** A class as a person knows it: its name, else its wnid, else its number. */
export function classWords(of: { readonly index: number | null; readonly wnid: string | null; readonly name: string | null }): string {
  return of.name ?? of.wnid ?? (of.index === null ? '' : String(of.index));
}
