/** Where some pictures stand beside each other on a figure, each with a label above it, and the caption below: the pictures of one study. Lengths are CSS pixels. */
import type { Picture } from './display.ts';
import { captionWords, figureMargin, type FigureLayout, type FigurePicture, type FigureWords } from './figureLayout.ts';

export interface FigurePanel {
  readonly label: string;
  readonly picture: Picture;
}

/** Longer edge of a panel's picture. */
const panelEdge = 208;
const between = 14;
const labelHeight = 16;
const labelSize = 11;

/** `columns`: panels beside each other; chosen so that rows are about as full as each other where absent. */
export function layOutPanels(panels: readonly FigurePanel[], caption: string, columns = Math.min(panels.length, panels.length > 4 ? Math.ceil(Math.sqrt(panels.length)) + 1 : 4)): FigureLayout {
  const across = Math.max(1, columns);
  // A single panel is too narrow for its caption.
  const width = 2 * figureMargin + Math.max(2, across) * panelEdge + (Math.max(2, across) - 1) * between;
  const items = panels.flatMap(({ label, picture }, at): (FigurePicture | FigureWords)[] => {
    const left = figureMargin + (at % across) * (panelEdge + between);
    const top = figureMargin + Math.floor(at / across) * (panelEdge + labelHeight + between);
    const scale = panelEdge / Math.max(picture.width, picture.height);
    return [
      { kind: 'words', left, baseline: top + labelSize, size: labelSize, weight: 'bold', text: label },
      { kind: 'picture', left, top: top + labelHeight, width: Math.round(picture.width * scale), height: Math.round(picture.height * scale), picture },
    ];
  });
  const captionTop = figureMargin + Math.ceil(panels.length / across) * (panelEdge + labelHeight + between);
  const words = captionWords(caption, captionTop, width);
  return { width, height: words.bottom + figureMargin, items: [...items, ...words.items], caption };
}
