/**
 * Minimises a smooth function by limited-memory BFGS (Nocedal & Wright 2006, algorithm 7.4) with a line search by bisection for the weak Wolfe conditions (Lewis & Overton 2013), which also holds for
 * functions whose slope has corners. Float64 throughout, and nothing of chance: the same function gives the same point.
 */

/** Writes the gradient at `point` and returns the value there. */
export type Objective = (point: Float64Array, gradient: Float64Array) => number;

export interface MinimiseOptions {
  /** Ends where no part of the gradient is larger. */
  readonly tolerance: number;
  readonly mostIterations: number;
}

export interface Minimum {
  readonly point: Float64Array;
  readonly value: number;
  readonly iterations: number;
  /** False where it ended at `mostIterations`. */
  readonly converged: boolean;
}

/** Steps that are remembered. */
const memory = 12;
const sufficientDecrease = 1e-4;
const curvature = 0.9;
const mostTrials = 40;

interface Step {
  readonly moved: Float64Array;
  readonly turned: Float64Array;
  readonly inverse: number;
}

/** @param start is not changed */
export function minimise(objective: Objective, start: Float64Array, { tolerance, mostIterations }: MinimiseOptions): Minimum {
  const size = start.length;
  let point = start.slice();
  let gradient = new Float64Array(size);
  let value = objective(point, gradient);
  let [nextPoint, nextGradient] = [new Float64Array(size), new Float64Array(size)];
  const steps: Step[] = [];
  for (let iteration = 0; iteration < mostIterations; iteration++) {
    if (largest(gradient) <= tolerance) return { point, value, iterations: iteration, converged: true };
    const direction = descent(gradient, steps);
    const slope = dot(direction, gradient);
    const next = search(slope, steps.length === 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1);
    // Rounding leaves nothing to gain.
    if (next === null) return { point, value, iterations: iteration, converged: true };
    const moved = difference(nextPoint, point);
    const turned = difference(nextGradient, gradient);
    const product = dot(moved, turned);
    if (product > 1e-12 * dot(turned, turned)) steps.push({ moved, turned, inverse: 1 / product });
    if (steps.length > memory) steps.shift();
    [point, nextPoint, gradient, nextGradient, value] = [nextPoint, point, nextGradient, gradient, next];

    function search(slope: number, first: number): number | null {
      let [low, high, length] = [0, Infinity, first];
      for (let trial = 0; trial < mostTrials; trial++) {
        for (let at = 0; at < size; at++) nextPoint[at] = point[at]! + length * direction[at]!;
        const found = objective(nextPoint, nextGradient);
        if (!(found <= value + sufficientDecrease * length * slope)) high = length;
        else if (dot(nextGradient, direction) < curvature * slope) low = length;
        else return found;
        length = high === Infinity ? 2 * low : (low + high) / 2;
      }
      return null;
    }
  }
  return { point, value, iterations: mostIterations, converged: largest(gradient) <= tolerance };
}

/** The two loops over what is remembered: minus the gradient, by the inverse curvature that the last steps showed. */
function descent(gradient: Float64Array, steps: readonly Step[]): Float64Array {
  const direction = gradient.map((value) => -value);
  const shares = new Float64Array(steps.length);
  for (let at = steps.length - 1; at >= 0; at--) {
    const { moved, turned, inverse } = steps[at]!;
    shares[at] = inverse * dot(moved, direction);
    add(direction, turned, -shares[at]!);
  }
  const last = steps.at(-1);
  if (last) scale(direction, 1 / (last.inverse * dot(last.turned, last.turned)));
  steps.forEach(({ moved, turned, inverse }, at) => add(direction, moved, shares[at]! - inverse * dot(turned, direction)));
  return direction;
}

function dot(left: Float64Array, right: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < left.length; at++) sum += left[at]! * right[at]!;
  return sum;
}

function add(to: Float64Array, what: Float64Array, factor: number): void {
  for (let at = 0; at < to.length; at++) to[at]! += factor * what[at]!;
}

function scale(values: Float64Array, factor: number): void {
  for (let at = 0; at < values.length; at++) values[at]! *= factor;
}

function difference(left: Float64Array, right: Float64Array): Float64Array {
  return left.map((value, at) => value - right[at]!);
}

function largest(values: Float64Array): number {
  let most = 0;
  for (const value of values) most = Math.max(most, Math.abs(value));
  return most;
}
