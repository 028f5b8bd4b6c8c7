/** Ops on two or three operands with numpy broadcasting. */
import { broadcasting } from './spec.ts';

export const add = broadcasting<'Add'>(0);
export const sub = broadcasting<'Sub'>(0);
export const mul = broadcasting<'Mul'>(0);
/** The condition is bool; the result has the type of what is chosen. */
export const where = broadcasting<'Where'>(1);
