/** A figure like the paper's Figure 4: a row per channel, a column per epoch, in each cell one picture or two above each other. Lengths are CSS pixels. */
import type { Picture } from './display.ts';
import { captionWords, figureMargin, labelSize, widthOf, type FigureLayout, type FigurePicture, type FigureWords } from './figureLayout.ts';

export interface GridRow {
  readonly label: string;
  /** One per column. `absence` stands in place of the pictures; `isMarked`: something happened here. */
  readonly cells: readonly ({ readonly kind: 'pictures'; readonly pictures: readonly Picture[]; readonly isMarked: boolean } | { readonly kind: 'absent'; readonly absence: string })[];
}

/** Edge of a picture. */
export const gridTile = 64;

const gap = 2;
const betweenRows = 10;
const headerHeight = 18;
/** A marked cell has this above it, whatever the colours of its picture; every writer has this letter. */
const mark = '•';
const markSize = 12;

/** @param pictures above each other in every cell */
export function layOutGrid(columns: readonly string[], rows: readonly GridRow[], pictures: number, caption: string): FigureLayout {
  const labelWidth = Math.ceil(Math.max(...rows.map(({ label }) => widthOf(label))) * labelSize) + 8;
  const gridLeft = figureMargin + labelWidth;
  const rowHeight = pictures * (gridTile + gap) + betweenRows;
  const width = Math.max(gridLeft + columns.length * (gridTile + gap) + figureMargin, 480);
  const headings = columns.map((text, at): FigureWords => words(gridLeft + at * (gridTile + gap), figureMargin + labelSize, text, 'bold'));
  const body = rows.flatMap((row, at) => {
    const top = figureMargin + headerHeight + at * rowHeight + betweenRows;
    return [words(figureMargin, top + gridTile / 2, row.label, 'bold'), ...row.cells.flatMap((cell, column) => cellItems(cell, gridLeft + column * (gridTile + gap), top))];
  });
  const below = captionWords(caption, figureMargin + headerHeight + rows.length * rowHeight + 2 * betweenRows, width);
  return { width, height: below.bottom + figureMargin, items: [...headings, ...body, ...below.items], caption };
}

function cellItems(cell: GridRow['cells'][number], left: number, top: number): (FigurePicture | FigureWords)[] {
  if (cell.kind === 'absent') return [words(left, top + gridTile / 2, cell.absence, 'plain')];
  const marked: FigureWords[] = cell.isMarked ? [{ kind: 'words', left: left + gridTile / 2 - markSize / 2, baseline: top - 1, size: markSize, weight: 'plain', text: mark }] : [];
  return [...marked, ...cell.pictures.map((picture, at) => centred(picture, left, top + at * (gridTile + gap)))];
}

/** A picture that is not square stands in the middle of its tile. */
function centred(picture: Picture, left: number, top: number): FigurePicture {
  const scale = gridTile / Math.max(picture.width, picture.height);
  const [width, height] = [picture.width * scale, picture.height * scale];
  return { kind: 'picture', left: left + (gridTile - width) / 2, top: top + (gridTile - height) / 2, width, height, picture };
}

function words(left: number, baseline: number, text: string, weight: FigureWords['weight']): FigureWords {
  return { kind: 'words', left, baseline, size: labelSize, weight, text };
}
