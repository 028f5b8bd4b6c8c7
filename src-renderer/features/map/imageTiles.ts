/** A tile of a sheet of thumbnails as the style of the picture that shows only that tile, whatever the size it is shown at. */
export function sheetTileStyle(position: number, columns: number, tiles: number): Readonly<Record<string, string>> {
  const rows = Math.ceil(tiles / columns);
  return { width: `${100 * columns}%`, height: `${100 * rows}%`, left: `${-100 * (position % columns)}%`, top: `${-100 * Math.floor(position / columns)}%` };
}
