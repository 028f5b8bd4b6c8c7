/**
 * Which engines and devices this machine has, and which of them `auto` means: each candidate is tried by a function that is handed in (a process of its own,
 * as a driver may crash), and what came of it is kept as long as the survey lives. Among those that pass their self-test auto takes the fastest; a GPU
 * that the processor plays is never taken by itself.
 */
import { AppError } from '../../../src-shared/errors.ts';
import { unavailableRow, type Device, type EngineAvailability, type EngineKind, type Placement } from '../engine.ts';

/** What a person asked for. */
export interface PlacementWish {
  readonly engine: EngineKind | 'auto';
  readonly device: Device | 'auto';
}

export interface DeviceChoice {
  readonly placement: Placement;
  readonly description: string;
  /** Every placement that was tried for the wish and will not be used, with its reason. */
  readonly rejected: readonly { readonly placement: Placement; readonly reason: string }[];
  /** Usable placements after the chosen one, fastest first: where a job goes that this device fails. */
  readonly next: readonly Placement[];
}

export interface ProbeOptions {
  /** Measure images per second too. */
  readonly benchmark: boolean;
  /** Do not test a GPU that the processor plays: that takes many seconds, and auto never takes it. Its row then has no self-test. */
  readonly skipSoftware?: boolean;
}

/** Tries one placement and says what came of it; the trial itself is worker/engines.ts, in a process of its own. A rejection becomes the reason of its row. */
export type Probe = (placement: Placement, options: ProbeOptions, signal?: AbortSignal) => Promise<EngineAvailability>;

/** Keeps what was found for the next process on this machine: trying every device costs seconds of processor time. Neither call may reject. */
export interface DeviceMemory {
  recall(): Promise<readonly EngineAvailability[]>;
  keep(rows: readonly EngineAvailability[]): Promise<void>;
}

export interface DeviceSurvey {
  /** One row per candidate. */
  availability(options?: Partial<ProbeOptions>, signal?: AbortSignal): Promise<readonly EngineAvailability[]>;
  /** Throws AppError UNAVAILABLE with the reasons of all placements that the wish allows. */
  chooseDevice(wish: PlacementWish, signal?: AbortSignal): Promise<DeviceChoice>;
  /** Forgets what was found (a driver was installed): everything is tried again. */
  forget(): void;
}

export function createDeviceSurvey(probe: Probe, candidates: readonly Placement[] = candidatePlacements(), memory?: DeviceMemory): DeviceSurvey {
  const known = new Map<Placement, EngineAvailability>();
  /** Rows of trials that broke off: a crash may have been the driver's fault or that of a machine under load, so the next run tries again. */
  const brokenOff = new WeakSet<EngineAvailability>();
  let recalled: Promise<void> | undefined;

  function recall(): Promise<void> {
    return (recalled ??= (memory?.recall() ?? Promise.resolve([])).then((rows) => {
      for (const candidate of candidates) {
        const row = rows.find((each) => samePlace(each, candidate));
        if (row) known.set(candidate, row);
      }
    }));
  }

  async function rowOf(placement: Placement, options: ProbeOptions, signal: AbortSignal | undefined): Promise<EngineAvailability> {
    const before = known.get(placement);
    if (before && !lacks(before, options)) return before;
    signal?.throwIfAborted();
    const row = await probe(placement, options, signal).catch((error: unknown) => {
      signal?.throwIfAborted();
      const failed = unavailableRow(placement, `${placement.engine} on ${placement.device} could not be tried: ${error instanceof Error ? error.message : String(error)}`);
      brokenOff.add(failed);
      return failed;
    });
    known.set(placement, row);
    return row;
  }

  /** Trials side by side, timings one after another: two that are measured at once would slow each other down. */
  async function rowsOf(placements: readonly Placement[], options: ProbeOptions, signal: AbortSignal | undefined): Promise<EngineAvailability[]> {
    await recall();
    const before = new Set(known.values());
    const rows = await Promise.all(placements.map((placement) => rowOf(placement, { ...options, benchmark: false }, signal)));
    if (options.benchmark) for (const [at, placement] of placements.entries()) rows[at] = await rowOf(placement, options, signal);
    if (rows.some((row) => !before.has(row))) await memory?.keep([...known.values()].filter((row) => !brokenOff.has(row)));
    return rows;
  }

  /** Among several that can be chosen the speed decides, so it is measured; a single one needs no timing. */
  async function ranked(placements: readonly Placement[], isPinned: boolean, signal: AbortSignal | undefined): Promise<EngineAvailability[]> {
    const rows = await rowsOf(placements, { benchmark: false, skipSoftware: !isPinned }, signal);
    if (rows.filter((row) => isChoosable(row, isPinned)).length < 2) return rows;
    return (await rowsOf(placements, { benchmark: true, skipSoftware: !isPinned }, signal)).toSorted((a, b) => (b.imagesPerSecond ?? 0) - (a.imagesPerSecond ?? 0));
  }

  return {
    availability: (options, signal) => rowsOf(candidates, { benchmark: options?.benchmark ?? false }, signal),
    async chooseDevice(wish, signal) {
      const wished = candidates.filter((candidate) => allows(wish, candidate));
      const isPinned = wish.engine !== 'auto' && wish.device !== 'auto';
      const [held, tried] = isPinned ? [[], wished] : split(wished, isReserve);
      let rows = await ranked(tried, isPinned, signal);
      if (!rows.some((row) => isChoosable(row, isPinned))) rows = [...rows, ...(await ranked(held, isPinned, signal))];
      const [chosen, ...others] = rows.filter((row) => isChoosable(row, isPinned));
      if (!chosen) throw noDevice(wish, rows);
      const untried = held.filter((placement) => !rows.some((row) => samePlace(row, placement)));
      return {
        placement: placeOf(chosen),
        description: chosen.description,
        rejected: rows.filter((row) => !isChoosable(row, isPinned)).map((row) => ({ placement: placeOf(row), reason: row.reason || softwareReason(row) })),
        next: isPinned ? [] : [...others.map(placeOf), ...untried],
      };
    },
    forget() {
      known.clear();
      recalled = Promise.resolve();
    },
  };
}

/** Engine and device pairs that the packages may offer on a platform, best guess first; the reference is no candidate. */
export function candidatePlacements(platform: string = process.platform): readonly Placement[] {
  const onnxruntime: readonly Device[] = platform === 'darwin' ? ['coreml', 'webgpu', 'cpu'] : platform === 'win32' ? ['cuda', 'dml', 'webgpu', 'cpu'] : ['cuda', 'webgpu', 'cpu'];
  const tensorflow: readonly Device[] = platform === 'darwin' ? ['webgpu', 'cpu'] : ['cuda', 'webgpu', 'cpu'];
  return [...onnxruntime.map((device) => ({ engine: 'onnxruntime' as const, device })), ...tensorflow.map((device) => ({ engine: 'tensorflow' as const, device }))];
}

/**
 * TensorFlow on the processor is not even tried by auto while another placement works: one thread of WebAssembly is several times slower than onnxruntime
 * (tests/bench/devices.ts), and the trial would cost every first index a second.
 */
function isReserve({ engine, device }: Placement): boolean {
  return engine === 'tensorflow' && device === 'cpu';
}

function isChoosable(row: EngineAvailability, isPinned: boolean): boolean {
  return row.available && (isPinned || !row.software);
}

/** Whether an earlier trial left something out that is asked for now. */
function lacks(row: EngineAvailability, { benchmark, skipSoftware = false }: ProbeOptions): boolean {
  if (!row.available) return false;
  return row.software ? row.selfTest === null && !skipSoftware : benchmark && row.imagesPerSecond === null;
}

function allows({ engine, device }: PlacementWish, candidate: Placement): boolean {
  return (engine === 'auto' || engine === candidate.engine) && (device === 'auto' || device === candidate.device);
}

function noDevice(wish: PlacementWish, rows: readonly EngineAvailability[]): AppError {
  const reasons = rows.map((row) => `${row.engine} on ${row.device}: ${row.reason || softwareReason(row)}`).join(' ');
  return new AppError('UNAVAILABLE', `No engine for "${wish.engine}" on "${wish.device}". ${reasons || 'There is no such combination.'}`, { engine: wish.engine, device: wish.device });
}

function softwareReason({ engine, device, driver }: EngineAvailability): string {
  return `${driver || 'This GPU'} is played by the processor and slower than it; choose ${engine} and ${device} by name to use it all the same.`;
}

function placeOf({ engine, device }: Placement): Placement {
  return { engine, device };
}

function samePlace(a: Placement, b: Placement): boolean {
  return a.engine === b.engine && a.device === b.device;
}

function split<T>(all: readonly T[], isFirst: (one: T) => boolean): [T[], T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))];
}
