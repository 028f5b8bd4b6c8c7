/**
 * Activation functions by Keras' names. Those that the graph has no kind for are put together of others: swish = x * sigmoid(x),
 * GELU = x/2 * (1 + erf(x / sqrt 2)), mish = x * tanh(softplus(x)).
 */
import { scaleBy, shiftBy } from './operations.ts';
import type { Network } from './network.ts';

/** `axis`: the graph's axis of the channels, for softmax. */
export type Activation = (network: Network, value: string, axis: number) => string;

/** SELU's two numbers (Klambauer et al. 2017). */
const seluAlpha = 1.6732632423543772;
const seluScale = 1.0507009873554805;

export const activations: Readonly<Record<string, Activation>> = {
  linear: (_network, value) => value,
  relu: (network, value) => network.add('Relu', [value], {}),
  relu6: (network, value) => network.add('Clip', [value], { minimum: 0, maximum: 6 }),
  leaky_relu: (network, value) => network.add('LeakyRelu', [value], { alpha: 0.2 }),
  elu: (network, value) => network.add('Elu', [value], { alpha: 1, gamma: 1 }),
  selu: (network, value) => network.add('Elu', [value], { alpha: seluAlpha, gamma: seluScale }),
  sigmoid: (network, value) => network.add('Sigmoid', [value], {}),
  tanh: (network, value) => network.add('Tanh', [value], {}),
  softplus: (network, value) => network.add('Softplus', [value], {}),
  softmax: (network, value, axis) => network.add('Softmax', [value], { axis }),
  log_softmax: (network, value, axis) => network.add('Log', [network.add('Softmax', [value], { axis })], {}),
  swish: (network, value) => network.add('Mul', [value, network.add('Sigmoid', [value], {})], {}),
  mish: (network, value) => network.add('Mul', [value, network.add('Tanh', [network.add('Softplus', [value], {})], {})], {}),
  gelu: (network, value) => {
    const curve = shiftBy(network, network.add('Erf', [scaleBy(network, value, Math.SQRT1_2)], {}), 1);
    return network.add('Mul', [scaleBy(network, value, 0.5), curve], {});
  },
  hard_swish: (network, value) => network.add('HardSwish', [value], {}),
};

/** Keras 2: 0.2 x + 0.5; Keras 3: x / 6 + 0.5; both kept within 0 and 1. */
export function hardSigmoid(kerasVersion: number): Activation {
  return (network, value) => network.add('HardSigmoid', [value], { alpha: kerasVersion >= 3 ? 1 / 6 : 0.2, beta: 0.5 });
}

/** An activation by name for a network of that major Keras version; refuses unknown ones. */
export function activationNamed(network: Network, name: string, kerasVersion: number): Activation {
  if (name === 'hard_sigmoid') return hardSigmoid(kerasVersion);
  const key = name === 'silu' ? 'swish' : name === 'hard_silu' ? 'hard_swish' : name;
  const activation = Object.hasOwn(activations, key) ? activations[key] : undefined;
  return activation ?? network.refuse(`has the activation ${JSON.stringify(name)}, which Switchback cannot run; known are ${[...Object.keys(activations), 'hard_sigmoid'].join(', ')}`);
}
