/** What a map shows, in words from which it can be made again. */
import { basename } from 'node:path';
import type { StoredIndex } from '../store/indexes.ts';
import { computationVersion } from './computation.ts';
import { reducedDimensions, type MapFacts, type MapSpec } from './mapJob.ts';
import { poolingWords } from './neighbours.ts';

export const methodNames: Readonly<Record<MapSpec['method']['kind'], string>> = { pca: 'PCA', tsne: 't-SNE', umap: 'UMAP' };

/** Of a model's hash: enough to know a file by. */
const hashDigits = 16;

export function mapCaption({ spec, modelName, layerTitle, imagesPath, points, dimensions, explained, trustworthiness, notes }: MapFacts, index: StoredIndex | null, version: string): string {
  const { subject, method, metric, seed } = spec;
  const what = subject.kind === 'images' ? `${points} images of ${basename(imagesPath)} by their features in ${layerTitle} (${subject.layer})${poolingWords[subject.pooling]} of ${modelName}` : `${points} ${layerTitle} of ${modelName} by the correlation of their scores over ${basename(imagesPath)}`;
  return [
    `${methodNames[method.kind]} of ${what}`,
    dimensions > reducedDimensions && method.kind !== 'pca' ? `, ${dimensions} numbers each, reduced to ${reducedDimensions} principal components` : `, ${dimensions} numbers each`,
    `: ${methodWords(method)}${method.kind === 'pca' ? '' : `, ${subject.kind === 'channels' ? 'distance by correlation' : metric === 'l2' ? 'Euclidean distance' : 'cosine distance'}`}, seed ${seed}.`,
    explained ? ` The axes explain ${percent(explained[0])} and ${percent(explained[1])} of the variance.` : '',
    trustworthiness === null ? '' : ` Trustworthiness ${trustworthiness.toFixed(3)} (k = 15).`,
    method.kind === 'tsne' ? ' Distances between groups and sizes of groups mean little.' : '',
    notes.length > 0 ? ` ${notes.join(' ')}` : '',
    index ? ` Model ${index.modelHash.slice(0, hashDigits)}, index ${index.id} (${index.engine} ${index.device}, batch ${index.batchSize}).` : '',
    ` Switchback ${version}, computation ${computationVersion}, Node ${process.versions.node}.`,
  ].join('');
}

function methodWords(method: MapSpec['method']): string {
  switch (method.kind) {
    case 'pca':
      return 'the first two principal components';
    case 'tsne':
      return `perplexity ${method.perplexity}, ${method.iterations} iterations`;
    case 'umap':
      return `${method.neighbours} neighbours, least distance ${method.minDistance}, ${method.epochs} epochs`;
  }
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
