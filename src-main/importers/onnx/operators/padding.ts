/**
 * Converters of ONNX Pad in all modes. Constants around height and width are the graph's own Pad; constants on another axis are joined on; reflection,
 * repetition and wrapping are a linear map along one axis; a negative pad cuts off.
 */
import { shapeText } from '../../../graph/ops/spec.ts';
import { numbersOf } from '../constants.ts';
import { optionalConstant, refuse, requiredConstant, runStages, type Conversion, type Converter, type Operator, type Stage } from '../conversion.ts';
import { normalizeAxis } from '../shapes.ts';
import { addSpatialLinear, type Row } from '../spatialLinear.ts';

type Ends = readonly [begin: number, end: number];

const pad: Converter = (operator, conversion) => {
  const shape = conversion.shapeOf(operator.inputs[0]!);
  const mode = operator.attributes.text('mode', 'constant');
  const ends = endsByAxis(operator, conversion, shape);
  const grown = ends.map(([begin, end]) => [Math.max(0, begin), Math.max(0, end)] as const);
  const cuts = ends.flatMap(([begin, end], axis) => (begin < 0 || end < 0 ? [cut(operator, conversion, axis, Math.min(0, begin), Math.min(0, end))] : []));
  if (mode === 'constant') return runStages(operator, conversion, [...cuts, ...constants(operator, conversion, grown)]);
  if (mode === 'reflect' || mode === 'edge' || mode === 'wrap') return runStages(operator, conversion, [...cuts, ...continued(operator, conversion, grown, mode)]);
  refuse(operator, `pads in mode ${JSON.stringify(mode)}; known are constant, reflect, edge, wrap`);
};

/** Pads of every axis; before opset 11 an attribute, in opset 1 under another name, since then an input; newer files may name axes. */
function endsByAxis(operator: Operator, conversion: Conversion, shape: ReturnType<Conversion['shapeOf']>): readonly Ends[] {
  const rank = shape.length;
  const given =
    operator.attributes.integers('pads') ?? operator.attributes.integers('paddings') ?? numbersOf(requiredConstant(operator, conversion, 1, 'pads')) ?? refuse(operator, 'pads by the batch size');
  const axesInput = optionalConstant(operator, conversion, 3, 'axes');
  const axes = (axesInput ? (numbersOf(axesInput) ?? []) : shape.map((_, axis) => axis)).map((axis) => normalizeAxis(operator, axis, rank));
  if (given.length !== 2 * axes.length) refuse(operator, `has ${given.length} pads for ${axes.length} axes`);
  const ends: Ends[] = shape.map(() => [0, 0]);
  axes.forEach((axis, index) => {
    ends[axis] = [given[index]!, given[index + axes.length]!];
    if (shape[axis] === 'batch' && (ends[axis]![0] !== 0 || ends[axis]![1] !== 0)) refuse(operator, 'pads the batch');
  });
  return ends;
}

function cut(operator: Operator, conversion: Conversion, axis: number, begin: number, end: number): Stage {
  return (x, output) => {
    const size = Number(conversion.shapeOf(x)[axis]);
    if (-begin >= size + end) refuse(operator, `cuts off all of axis ${axis} of ${shapeText(conversion.shapeOf(x))}`);
    conversion.add('Slice', [x], { axis, start: -begin, end: size + end }, [output]);
  };
}

function constants(operator: Operator, conversion: Conversion, ends: readonly Ends[]): readonly Stage[] {
  const filler = optionalConstant(operator, conversion, 2, 'value');
  const value = filler ? Number(filler.data[0] ?? 0) : operator.attributes.float('value', 0);
  const spatial = ends.length === 4;
  const joined = ends.flatMap(([begin, end], axis): Stage[] => {
    if ((begin === 0 && end === 0) || (spatial && axis >= 2)) return [];
    const padded: Stage = (x, output) =>
      conversion.add('Concat', [...filling(operator, conversion, x, axis, begin, value), x, ...filling(operator, conversion, x, axis, end, value)], { axis }, [output]);
    return [padded];
  });
  if (!spatial) return joined;
  const [, , [top, bottom], [left, right]] = ends as readonly [Ends, Ends, Ends, Ends];
  if (top + bottom + left + right === 0) return joined;
  return [...joined, (x, output) => conversion.add('Pad', [x], { pads: [top, left, bottom, right], value }, [output])];
}

/** `count` places along an axis that hold the value: pieces of x times 0, so that they have the size of the batch. */
function filling(operator: Operator, conversion: Conversion, x: string, axis: number, count: number, value: number): readonly string[] {
  const size = Number(conversion.shapeOf(x)[axis]);
  if (!(count <= 64 * size)) refuse(operator, `adds ${count} places to the ${size} of axis ${axis}`);
  const parts: string[] = [];
  for (let left = count; left > 0; left -= size) {
    const piece = conversion.step('Slice', [x], { axis, start: 0, end: Math.min(left, size) }, 'piece');
    const zeros = conversion.step('Mul', [piece, conversion.number(0)], {}, 'zeros');
    parts.push(value === 0 ? zeros : conversion.step('Add', [zeros, conversion.number(value)], {}, 'filling'));
  }
  return parts;
}

/** Every position takes the value of one position inside: mirrored without repeating the edge, the edge itself, or from the other end. */
function continued(operator: Operator, conversion: Conversion, ends: readonly Ends[], mode: 'reflect' | 'edge' | 'wrap'): readonly Stage[] {
  const other = ends.findIndex(([begin, end], axis) => begin + end > 0 && (ends.length !== 4 || axis < 2));
  if (other >= 0) refuse(operator, `pads axis ${other} of a value with ${ends.length} axes in mode ${mode}; only height and width are supported`);
  return ([2, 3] as const).flatMap((axis): Stage[] => {
    const [begin, end] = ends[axis] ?? [0, 0];
    if (begin + end === 0) return [];
    const stage: Stage = (x, output) => {
      const size = Number(conversion.shapeOf(x)[axis]);
      addSpatialLinear(operator, conversion, x, axis, begin + size + end, (place): Row => [[insideOf[mode](place - begin, size), 1]], 1, output);
    };
    return [stage];
  });
}

/** The position inside 0..size-1 that stands for one outside. */
const insideOf = {
  edge: (place: number, size: number): number => Math.min(Math.max(place, 0), size - 1),
  wrap: (place: number, size: number): number => ((place % size) + size) % size,
  reflect(place: number, size: number): number {
    const period = Math.max(1, 2 * (size - 1));
    const inside = ((place % period) + period) % period;
    return inside < size ? inside : period - inside;
  },
} as const;

export const paddingConverters = { Pad: pad } satisfies Readonly<Record<string, Converter>>;
