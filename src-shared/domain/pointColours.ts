/** Ten colours for the classes of points, which people of any colour vision tell apart (Petroff, "Accessible Color Sequences for Data Visualization", arXiv 2107.02270). */
export const pointColours: readonly (readonly [red: number, green: number, blue: number])[] = [[63, 144, 218], [255, 169, 14], [189, 31, 1], [131, 45, 182], [169, 107, 89], [231, 99, 0], [146, 218, 221], [185, 172, 112], [113, 117, 129], [148, 164, 162]];

/** Of points that were predicted wrongly, among right ones in the first colour. */
export const wrongPointColour = 5;
