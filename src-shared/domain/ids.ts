/** Branded identifiers: a layer number can never be passed where an image number is meant. */

declare const brand: unique symbol;
type Branded<T, B extends string> = T & { readonly [brand]: B };

/** Name of an index (one model + preprocessing + images in a workspace), e.g. `k3v9x2`; unique within its workspace. */
export type IndexId = Branded<string, 'IndexId'>;
export type JobId = Branded<string, 'JobId'>;
/** Row of an image in the manifest of an index, counted from 0 in path order. */
export type ImageNumber = Branded<number, 'ImageNumber'>;
/** Position of a layer in its index, counted from 1 in graph order; files and addresses use it. */
export type LayerNumber = Branded<number, 'LayerNumber'>;
