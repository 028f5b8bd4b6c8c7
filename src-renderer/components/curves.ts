/** One line of a CurveChart. */
export interface Curve {
  readonly name: string;
  /** One value per x; null where there is none. */
  readonly values: readonly (number | null)[];
  readonly look: 'strong' | 'plain' | 'faint';
  readonly dashed?: boolean;
  /** Place in the legend; lines are drawn in the order in which they are given. */
  readonly place?: number;
}
