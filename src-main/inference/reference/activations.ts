/** The activation functions from their definitions, value by value in float64. ONNX operators of the same names; the error function by Abramowitz & Stegun 7.1.5 and 7.1.14. */
import { combined, mapped } from './broadcasting.ts';
import { floats, type Kernel } from './kernel.ts';

export const relu: Kernel<'Relu'> = (inputs) => [mapped(floats(inputs, 0), (x) => Math.max(x, 0))];

export const leakyRelu: Kernel<'LeakyRelu'> = (inputs, { alpha }) => [mapped(floats(inputs, 0), (x) => (x < 0 ? alpha * x : x))];

export const clip: Kernel<'Clip'> = (inputs, { minimum, maximum }) => [mapped(floats(inputs, 0), (x) => clamp(x, minimum, maximum))];

export const prelu: Kernel<'PRelu'> = (inputs) => [combined(inputs, (x, slope) => (x < 0 ? slope * x : x))];

export const elu: Kernel<'Elu'> = (inputs, { alpha, gamma }) => [mapped(floats(inputs, 0), (x) => gamma * (x < 0 ? alpha * Math.expm1(x) : x))];

export const thresholdedRelu: Kernel<'ThresholdedRelu'> = (inputs, { alpha }) => [mapped(floats(inputs, 0), (x) => (x <= alpha ? 0 : x))];

export const sigmoid: Kernel<'Sigmoid'> = (inputs) => [mapped(floats(inputs, 0), (x) => 1 / (1 + Math.exp(-x)))];

export const hardSigmoid: Kernel<'HardSigmoid'> = (inputs, { alpha, beta }) => [mapped(floats(inputs, 0), (x) => clamp(alpha * x + beta, 0, 1))];

export const hardSwish: Kernel<'HardSwish'> = (inputs) => [mapped(floats(inputs, 0), (x) => x * clamp(x / 6 + 0.5, 0, 1))];

export const tanh: Kernel<'Tanh'> = (inputs) => [mapped(floats(inputs, 0), (x) => Math.tanh(x))];

/** ln(1 + e^x) as max(x, 0) + ln(1 + e^-|x|), which neither overflows nor loses small values. */
export const softplus: Kernel<'Softplus'> = (inputs) => [mapped(floats(inputs, 0), (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))))];

export const erf: Kernel<'Erf'> = (inputs) => [mapped(floats(inputs, 0), errorFunction)];

export const log: Kernel<'Log'> = (inputs) => [mapped(floats(inputs, 0), (x) => Math.log(x))];

function clamp(x: number, minimum: number, maximum: number): number {
  return Math.min(Math.max(x, minimum), maximum);
}

/** 2 / sqrt(pi) times the integral of e^-t^2 from 0 to x: the power series near 0, the continued fraction of its complement further out. */
function errorFunction(x: number): number {
  const size = Math.abs(x);
  if (size > 6) return Math.sign(x);
  if (size > 2.5) {
    let fraction = 0;
    for (let level = 60; level >= 1; level--) fraction = level / 2 / (size + fraction);
    return Math.sign(x) * (1 - Math.exp(-size * size) / Math.sqrt(Math.PI) / (size + fraction));
  }
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (-x * x) / n;
    sum += term / (2 * n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * sum;
}
