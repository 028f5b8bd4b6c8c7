/** Names and settings of the lab as a person reads them. Pure. */
import type { LabPlace } from '../../addresses.ts';
import type { LabLayer, LabSubject, LabTarget } from '../../api/records.ts';

/** "toucan (96)", or the number alone. Of several names for one class the first. */
export function classWords({ index, name, wnid }: { readonly index: number; readonly name: string | null; readonly wnid?: string | null }): string {
  const word = firstName(name) ?? wnid;
  return word == null ? String(index) : `${word} (${index})`;
}

/** Lists of labels name a class by several words of one meaning, the usual one first. */
export function firstName(name: string | null): string | null {
  return name === null ? null : (name.split(',')[0]?.trim() ?? name);
}

/** What TargetPicker holds: all kinds at once, so that changing the kind loses nothing. */
export interface TargetWish {
  readonly kind: LabTarget['kind'];
  readonly class: number | null;
  readonly layer: string | null;
  readonly channel: number;
  readonly y: number;
  readonly x: number;
}

/** Null while something is missing. */
export function targetOf(wish: TargetWish, needsClass = false): LabTarget | null {
  const { kind, layer, channel, y, x } = wish;
  if (kind === 'class') return wish.class === null ? (needsClass ? null : { kind }) : { kind, index: wish.class };
  if (layer === null) return null;
  return kind === 'channel' ? { kind, layer, channel } : { kind, layer, channel, y, x };
}

export function wishOf(target: LabTarget, before: TargetWish): TargetWish {
  if (target.kind === 'class') return { ...before, kind: 'class', class: target.index ?? null };
  return { ...before, ...target };
}

/** The usual layer to begin with: the last convolution with maps that is not the one that makes the class scores, else the last layer. */
export function usualLayer({ layers, classes }: Pick<LabSubject, 'layers' | 'classes'>): LabLayer | null {
  return layers.findLast(({ kind, height, width, channels }) => kind === 'conv' && height * width > 1 && channels !== classes) ?? layers.at(-1) ?? null;
}

/** The unit of the address, and the class where the network knows classes. */
export function startWish(place: Pick<LabPlace, 'layer' | 'channel' | 'y' | 'x'>, subject: LabSubject): TargetWish {
  const layer = subject.layers.find(({ name }) => name === place.layer) ?? usualLayer(subject);
  return { kind: subject.classes > 0 ? 'class' : 'channel', class: null, layer: layer?.name ?? null, channel: place.channel ?? 0, y: place.y ?? 0, x: place.x ?? 0 };
}
