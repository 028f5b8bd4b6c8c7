/**
 * Recognises that memory ran out, in the words of onnxruntime, CUDA, DirectML, Dawn, TensorFlow and V8, none of which has a code for it in JavaScript;
 * and in the death of a process, which the kernel kills without a word.
 */
import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';

const wordings: readonly RegExp[] = [
  /std::bad_alloc|bad allocation/i,
  /failed to allocate memory/i, // onnxruntime's arenas
  /out of memory/i, // CUDA, V8, Dawn
  /OUT_OF_(DEVICE_|HOST_|POOL_)?MEMORY|E_OUTOFMEMORY|8007000E/, // Vulkan, Direct3D
  /not enough memory (resources )?(are|is) available/i, // Windows
  /(CUDNN|CUBLAS|CUSOLVER)_STATUS_ALLOC_FAILED/,
  /OOM when allocating|RESOURCE_EXHAUSTED|resource exhausted/i, // TensorFlow
  /\bAborted\(OOM\)|cannot enlarge memory|memory access out of bounds/i, // WebAssembly: tfjs writes on where it got no memory
  /array buffer allocation failed/i, // V8
  /exceeds the max(imum)? buffer size|allocation size too large/i, // Dawn: smaller batches have smaller buffers
  /Invalid Buffer\b.* is invalid due to a previous error/i, // Dawn, at the first use of what could not be allocated
  /too many storage buffers in shader/i, // onnxruntime on WebGPU, which cuts what is larger than a buffer may be
];

export function speaksOfMemory(text: string): boolean {
  return wordings.some((wording) => wording.test(text));
}

/** Above this share of the machine's memory a process that is killed was most likely killed for it. */
const largeShare = 0.4;

/**
 * Whether a process that ended by a signal, or its last words, tell of memory.
 * @param residentBytes as last heard from it
 * @param kernelKillsBefore `kernelKills()` when it was started
 */
export function diedOfMemory(signal: NodeJS.Signals | null, lastWords: string, residentBytes: number, kernelKillsBefore: number): boolean {
  if (speaksOfMemory(lastWords)) return true;
  if (signal !== 'SIGKILL') return false;
  const available = Math.min(totalmem(), process.constrainedMemory() || Infinity);
  return kernelKills() > kernelKillsBefore || residentBytes > largeShare * available;
}

/** Processes that the kernel has killed for memory since it started; 0 where it does not tell. */
export function kernelKills(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
