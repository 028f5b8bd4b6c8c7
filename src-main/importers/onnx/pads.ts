/**
 * Turns ONNX's ways to say how a window is padded (auto_pad, ceil_mode) into explicit pads, so that the graph knows one form only.
 */
import type { Pads, Size2, WindowAttributes } from '../../graph/ops/attributes.ts';
import { refuse, type Operator } from './conversion.ts';

/** A window as the file gives it, without ceil_mode; `kernel` from the attribute or the weights. */
export function windowOf(operator: Operator, kernel: readonly number[] | undefined, height: number, width: number): WindowAttributes {
  if (!kernel) return refuse(operator, 'gives no kernel size');
  if (kernel.length !== 2) return refuse(operator, `has a window with ${kernel.length} spatial ${kernel.length === 1 ? 'axis' : 'axes'}; Switchback handles pictures, which have 2`);
  const pair = (name: string): Size2 => {
    const [rows = 1, columns = 1] = operator.attributes.integers(name) ?? [];
    return [rows, columns];
  };
  const window = { kernel: [kernel[0]!, kernel[1]!] as const, strides: pair('strides'), dilations: pair('dilations') };
  return { ...window, pads: padsOf(operator, window, height, width) };
}

function padsOf(operator: Operator, window: Omit<WindowAttributes, 'pads'>, height: number, width: number): Pads {
  const mode = operator.attributes.text('auto_pad', 'NOTSET');
  if (mode === 'VALID') return [0, 0, 0, 0];
  if (mode === 'NOTSET' || mode === '') {
    const [top = 0, left = 0, bottom = 0, right = 0] = operator.attributes.integers('pads') ?? [];
    if (Math.min(top, left, bottom, right) < 0) refuse(operator, `has negative pads (${[top, left, bottom, right].join(', ')})`);
    return [top, left, bottom, right];
  }
  if (mode !== 'SAME_UPPER' && mode !== 'SAME_LOWER') return refuse(operator, `has auto_pad ${JSON.stringify(mode)}; known are NOTSET, VALID, SAME_UPPER, SAME_LOWER`);
  const [rows, columns] = [samePadding(height, window, 0), samePadding(width, window, 1)];
  const small = [Math.floor(rows / 2), Math.floor(columns / 2)] as const;
  const large = [rows - small[0], columns - small[1]] as const;
  return mode === 'SAME_UPPER' ? [...small, ...large] : [...large, ...small];
}

/** What both ends together need so that the output has ceil(size / stride) steps. */
function samePadding(size: number, { kernel, strides, dilations }: Omit<WindowAttributes, 'pads'>, axis: 0 | 1): number {
  const steps = Math.ceil(size / strides[axis]);
  return Math.max(0, (steps - 1) * strides[axis] + dilations[axis] * (kernel[axis] - 1) + 1 - size);
}

/**
 * The pads that make a pool with ceil_mode end where it ends with rounding up: more at the end, so that the last, partly covered window counts,
 * unless it would start in the end padding (such a window is dropped; ONNX and PyTorch agree).
 */
export function ceilPads(window: WindowAttributes, height: number, width: number): Pads {
  const [top, left, bottom, right] = window.pads;
  return [top, left, ceilEnd(height, window, 0, top, bottom), ceilEnd(width, window, 1, left, right)];
}

function ceilEnd(size: number, { kernel, strides, dilations }: WindowAttributes, axis: 0 | 1, begin: number, end: number): number {
  const span = dilations[axis] * (kernel[axis] - 1) + 1;
  const stride = strides[axis];
  const floor = Math.floor((size + begin + end - span) / stride) + 1;
  let steps = Math.ceil((size + begin + end - span) / stride) + 1;
  if ((steps - 1) * stride >= size + begin) steps--;
  return steps === floor ? end : Math.max(0, (steps - 1) * stride + span - size - begin);
}
