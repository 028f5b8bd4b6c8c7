/** Every view of the workbench on the drawn sample: where it stands, and what is on it once it is all there. A new view is a row here, and is then compared, measured and read in every language. */
import { join } from 'node:path';
import type { SampleWorkbench } from './sampleWorkbench.ts';

export interface SampleView {
  /** Also the name of its kept screenshots. */
  readonly name: string;
  readonly address: (at: SampleWorkbench) => string;
  /** A CSS selector (the language may be any) of what is seen last. */
  readonly ready: string;
  /** What is opened in it by keys before it is looked at, and what is seen then. */
  readonly keys?: string;
  readonly after?: string;
}

const atlas = ({ workspace, index }: SampleWorkbench, rest: string): string => `/w/${workspace}/i/${index}${rest}`;
const modelOf = ({ modelPath, picturesPath }: SampleWorkbench): string => new URLSearchParams({ model: modelPath, images: picturesPath }).toString();

export const sampleViews: readonly SampleView[] = [
  { name: 'start', address: () => '/', ready: 'main h1' },
  { name: 'import', address: (at) => `/import?${modelOf(at)}`, ready: '.report table, .report section' },
  { name: 'import-missing', address: ({ picturesPath }) => `/import?model=${encodeURIComponent(join(picturesPath, 'gone.onnx'))}`, ready: '[role=alert]' },
  { name: 'workspace', address: ({ workspace }) => `/w/${workspace}`, ready: 'main a[href*="/i/"]' },
  { name: 'atlas', address: (at) => atlas(at, '/l/3'), ready: '[data-channel] img' },
  { name: 'atlas-missing', address: (at) => atlas(at, '/l/99'), ready: 'main h2, main h3' },
  { name: 'channel', address: (at) => atlas(at, '/l/3/c/1?hit=2'), ready: '.unit img' },
  { name: 'weights', address: (at) => atlas(at, '/l/1/weights'), ready: 'main img, main canvas' },
  { name: 'image', address: (at) => atlas(at, '/image/2?layer=3'), ready: 'main img' },
  { name: 'maps', address: ({ workspace }) => `/w/${workspace}/map`, ready: 'main .methods' },
  { name: 'map', address: ({ workspace, map }) => `/w/${workspace}/map/${map}`, ready: '.map-legend li' },
  { name: 'map-mosaic', address: ({ workspace, map }) => `/w/${workspace}/map/${map}?view=mosaic&colour=error`, ready: '.map-legend li' },
  { name: 'neighbours', address: ({ workspace, index }) => `/w/${workspace}/neighbours?index=${index}&picture=image-2&layer=relu3`, ready: '.image-tiles img' },
  { name: 'experiments', address: ({ workspace }) => `/w/${workspace}/experiments`, ready: 'main .record-list li' },
  { name: 'experiment-form', address: ({ workspace, index }) => `/w/${workspace}/experiments/new/invariance?index=${index}`, ready: 'main form img' },
  { name: 'experiment', address: ({ workspace, experiment }) => `/w/${workspace}/experiments/${experiment}`, ready: 'main .pictures img' },
  { name: 'evidence', address: ({ workspace, index }) => `/w/${workspace}/experiments/new/evidence?index=${index}&class=faces`, ready: 'main .sheet img' },
  { name: 'paper', address: ({ workspace, index }) => `/w/${workspace}/paper?index=${index}`, ready: 'main .invariance-figure' },
  { name: 'compare', address: ({ workspace, index, earlier }) => `/w/${workspace}/compare?left=${earlier}/3/1&right=${index}/3`, ready: '[role=listbox] img' },
  { name: 'training', address: ({ workspace }) => `/w/${workspace}/train`, ready: 'main form, main fieldset' },
  { name: 'run', address: ({ workspace, run }) => `/w/${workspace}/train/${run}`, ready: 'main canvas' },
  { name: 'evolution', address: ({ workspace, series }) => `/w/${workspace}/evolution/${series}`, ready: '[role=gridcell] img' },
  { name: 'diagnostics', address: ({ workspace, index, earlier }) => `/w/${workspace}/diagnostics?model=index:${earlier}&against=index:${index}`, ready: 'main img' },
  { name: 'lab', address: ({ workspace, index }) => `/w/${workspace}/lab?model=${index}&image=image-3`, ready: 'main img' },
  { name: 'settings', address: () => '/settings', ready: 'main table' },
  { name: 'about', address: () => '/about', ready: 'main h1, main h2' },
  { name: 'unknown', address: () => '/nowhere', ready: 'main h1, main h2, main h3' },
  { name: 'palette', address: (at) => atlas(at, '/l/3'), ready: '[data-channel] img', keys: 'Control+k', after: '[role=dialog] [role=option]' },
  { name: 'shortcuts', address: () => '/about', ready: 'main h1, main h2', keys: '?', after: '[role=dialog] h2' },
];
