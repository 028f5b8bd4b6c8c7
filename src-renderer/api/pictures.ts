/**
 * Fetches pictures for the visible part of a view. Pictures are fetched rather than set as `src`, because only a fetch can be called off when
 * its cell scrolls away and can tell why it failed. Lanes keep slow projections from holding back quick patches, and leave connections
 * (a browser has six per host) for calls and streams.
 */
import type { PlainError } from '../../src-shared/errors.ts';
import { contactingFetch } from './contact.ts';

/** `patches` and `projections`: the sheets of the grid. `image`: quick as a patch, and before all waiting ones. `detail`: the projection that is looked at. */
export type PictureLane = 'patches' | 'image' | 'projections' | 'detail';

type Track = 'quick' | 'sheet' | 'detail';
const tracks: Readonly<Record<PictureLane, Track>> = { patches: 'quick', image: 'quick', projections: 'sheet', detail: 'detail' };
/** Requests under way at once, per track: whichever of the first two has nothing to ask lends its place, and each keeps one. */
const trackWidths: Readonly<Record<Track, number>> = { quick: 2, sheet: 2, detail: 1 };
const gridWidth = 3;
const cacheLimitBytes = 96 * 1024 * 1024;

interface Waiting {
  readonly start: () => void;
}

const waiting: Record<Track, Waiting[]> = { quick: [], sheet: [], detail: [] };
const running: Record<Track, number> = { quick: 0, sheet: 0, detail: 0 };
interface SharedRequest {
  blob: Promise<Blob>;
  readonly callOff: AbortController;
  state: 'waiting' | 'asked' | 'arriving';
  /** How many wait for it. */
  wanted: number;
}

const underWay = new Map<string, SharedRequest>();
const cache = new Map<string, Blob>();
let cachedBytes = 0;

/** The picture if it was fetched before and is still held. */
export function heldPicture(url: string): Blob | undefined {
  const blob = cache.get(url);
  if (blob) {
    cache.delete(url);
    cache.set(url, blob);
  }
  return blob;
}

/**
 * Fetches one picture in its lane's turn.
 * @throws PlainError as the core sent it; AbortError when called off; TypeError when the core is away.
 */
export async function fetchPicture(url: string, lane: PictureLane, signal: AbortSignal): Promise<Blob> {
  signal.throwIfAborted();
  const held = heldPicture(url);
  if (held) return held;
  return shareOf(underWay.get(url) ?? begin(url, lane), url, signal);
}

/** Waits for a request with others; whoever leaves last calls it off. */
function shareOf(request: SharedRequest, url: string, signal: AbortSignal): Promise<Blob> {
  request.wanted += 1;
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      signal.removeEventListener('abort', giveUp);
      request.wanted -= 1;
      if (request.wanted > 0) return;
      if (request.state === 'waiting') end(url, request);
      // A cell that is drawn anew wants it again at once; and what is arriving already would only be asked for a second time.
      else setTimeout(() => request.wanted === 0 && request.state !== 'arriving' && end(url, request));
    };
    const giveUp = (): void => {
      leave();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', giveUp, { once: true });
    const settled = (): void => {
      if (!signal.aborted) leave();
    };
    request.blob.then(resolve, reject).finally(settled);
  });
}

function end(url: string, request: SharedRequest): void {
  request.callOff.abort();
  if (underWay.get(url) === request) underWay.delete(url);
}

/** One request for all that want the same picture at the same time; it is called off when none of them wants it any more. */
function begin(url: string, lane: PictureLane): SharedRequest {
  const request: SharedRequest = { blob: Promise.resolve(new Blob()), callOff: new AbortController(), state: 'waiting', wanted: 0 };
  request.blob = ask(url, lane, request);
  underWay.set(url, request);
  // Where all have left nobody waits for how it ends.
  request.blob.catch(() => undefined).finally(() => underWay.get(url) === request && underWay.delete(url));
  return request;
}

async function ask(url: string, lane: PictureLane, request: SharedRequest): Promise<Blob> {
  const { signal } = request.callOff;
  const track = tracks[lane];
  await turn(track, lane === 'image', signal);
  request.state = 'asked';
  try {
    const response = await contactingFetch(url, { signal });
    request.state = 'arriving';
    if (!response.ok) throw await refusal(response);
    const blob = await response.blob();
    hold(url, blob);
    return blob;
  } finally {
    running[track] -= 1;
    for (const each of ['quick', 'sheet', 'detail'] as const) while (waiting[each].length > 0 && hasRoom(each)) waiting[each].shift()!.start();
  }
}

function hasRoom(track: Track): boolean {
  return running[track] < trackWidths[track] && (track === 'detail' || running.quick + running.sheet < gridWidth);
}

function turn(track: Track, first: boolean, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  if (hasRoom(track)) {
    running[track] += 1;
    return Promise.resolve();
  }
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      waiting[track].splice(waiting[track].indexOf(entry), 1);
      reject(signal.reason);
    };
    const entry: Waiting = {
      start: () => {
        signal.removeEventListener('abort', leave);
        running[track] += 1;
        resolve();
      },
    };
    signal.addEventListener('abort', leave, { once: true });
    if (first) waiting[track].unshift(entry);
    else waiting[track].push(entry);
  });
}

async function refusal(response: Response): Promise<PlainError> {
  try {
    return (await response.json()) as PlainError;
  } catch {
    return { code: 'INTERNAL', message: `The picture could not be made: the core answered ${response.status}.`, data: { status: response.status } };
  }
}

function hold(url: string, blob: Blob): void {
  cache.set(url, blob);
  cachedBytes += blob.size;
  for (const [oldest, held] of cache) {
    if (cachedBytes <= cacheLimitBytes) return;
    cache.delete(oldest);
    cachedBytes -= held.size;
  }
}
