/** In which order the channels of one side are listed, and what can be said of all of them at a glance. Pure. */
import type { BestPartner } from '../../api/records.ts';

export const partnerOrders = ['closest', 'loneliest', 'number'] as const;
export type PartnerOrder = (typeof partnerOrders)[number];

/** Below this correlation a channel counts as one without a partner. */
export const partnerFrom = 0.5;

/** @returns a new list; channels whose scores never change stand last except by number, ties go by number */
export function orderPartners(partners: readonly BestPartner[], order: PartnerOrder, onlyAlone: boolean): readonly BestPartner[] {
  const listed = onlyAlone ? partners.filter(isAlone) : [...partners];
  if (order === 'number') return listed.sort((a, b) => a.channel - b.channel);
  const sign = order === 'closest' ? -1 : 1;
  const unknown = (each: BestPartner): number => Number(each.correlation === null);
  return listed.sort((a, b) => unknown(a) - unknown(b) || sign * ((a.correlation ?? 0) - (b.correlation ?? 0)) || a.channel - b.channel);
}

export function isAlone({ correlation }: BestPartner): boolean {
  return correlation === null || correlation < partnerFrom;
}

export interface PartnerSummary {
  readonly channels: number;
  readonly alone: number;
  readonly mutual: number;
  /** Of the best correlations; null where none is known. */
  readonly median: number | null;
}

export function summarize(partners: readonly BestPartner[]): PartnerSummary {
  const known = partners.flatMap(({ correlation }) => (correlation === null ? [] : [correlation])).sort((a, b) => a - b);
  const middle = known.length / 2;
  const median = known.length === 0 ? null : known.length % 2 === 1 ? known[Math.floor(middle)]! : (known[middle - 1]! + known[middle]!) / 2;
  return { channels: partners.length, alone: partners.filter(isAlone).length, mutual: partners.filter(({ mutual }) => mutual).length, median };
}
