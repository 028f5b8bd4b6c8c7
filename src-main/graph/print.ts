/**
 * A network as a person would draw it: top to bottom, one row per node or fused block (a convolution with its normalisation and activation), a lane for
 * every value that is still needed, split where a value has several readers and joined where several come together.
 */
import { describeNode } from './describeNode.ts';
import { consumers, valueOf, type Graph, type Node } from './graph.ts';
import { activationKinds } from './layerSelection.ts';
import type { OpKind } from './ops/attributes.ts';

export interface DrawnRow {
  /** Lanes in box-drawing characters, `●` where the row's own value is. */
  readonly lanes: string;
  /** Empty in rows that only split or join lanes. */
  readonly what: string;
  /** `C x H x W`. */
  readonly size: string;
  /** Name of the value that the row makes. */
  readonly name: string;
  /** What the way back does here; to be read from the last row to the first. */
  readonly down: string;
}

/** What stands beside the network: words by node name ('' where the signal passes as it is), at inputs, and where a value gathers the signals of several readers. */
export interface WayDown {
  readonly nodes: ReadonlyMap<string, string>;
  readonly arrival: ReadonlyMap<string, string>;
  readonly sums: ReadonlySet<string>;
}

interface Block {
  readonly nodes: readonly Node[];
  /** The values that it reads, without constants and without those inside it. */
  readonly inputs: readonly string[];
  readonly output: string;
}

/** The rows of the drawing, first to last. `ends`: values that have a row of their own, whatever follows them. */
export function drawNetwork(graph: Graph, wayDown?: WayDown, ends: ReadonlySet<string> = new Set()): readonly DrawnRow[] {
  const blocks = blocksOf(graph, ends);
  const unread = new Map<string, number>();
  for (const block of blocks) for (const input of block.inputs) unread.set(input, (unread.get(input) ?? 0) + 1);
  const lanes: (string | undefined)[] = [];
  const rows: DrawnRow[] = [];
  const connect = (from: number, to: readonly number[], end: string, down: string) =>
    rows.push({ lanes: lanesWith(lanes, from, to, end), what: '', size: '', name: '', down });
  const place = (at: number, name: string, what: string, down: string) => {
    lanes[at] = name;
    rows.push({ lanes: lanesWithNode(lanes, at), what, size: sizeWords(graph, name), name, down });
    if (!unread.get(name)) lanes[at] = undefined;
    while (lanes.length > 0 && lanes.at(-1) === undefined) lanes.pop();
  };

  for (const input of graph.inputs) place(freeLane(lanes, 0), input.name, 'input', wayDown?.arrival.get(input.name) ?? '');
  for (const block of blocks) {
    const taken = block.inputs.map((input) => lanes.indexOf(input)).sort((a, b) => a - b);
    const values = taken.map((at) => lanes[at]!);
    values.forEach((value, index) => {
      const left = unread.get(value)! - 1;
      unread.set(value, left);
      if (left === 0) return;
      const at = freeLane(lanes, taken[index]! + 1);
      connect(taken[index]!, [at], '┐', wayDown?.sums.has(value) ? 'sum' : '');
      lanes[at] = value;
    });
    const [at = freeLane(lanes, 0), ...joined] = taken;
    if (joined.length > 0) connect(at, joined, '┘', '');
    for (const lane of joined) lanes[lane] = undefined;
    place(at, block.output, block.nodes.map((node) => describeNode(node, graph)).join(' → '), downWords(block, wayDown));
  }
  return rows;
}

/** The drawing as text for a terminal, the way down beside it where there is one. */
export function printNetwork(rows: readonly DrawnRow[], heading?: { readonly network: string; readonly down: string }): string {
  const table = rows.map(({ lanes, what, size, name, down }) => [lanes, what, size, name, down === '' ? '' : `↑ ${down}`]);
  const titled = heading ? [['', heading.network, '', '', heading.down], ...table] : table;
  const widths = [0, 1, 2, 3].map((column) => Math.max(...titled.map((row) => row[column]!.length)));
  return titled.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n');
}

function downWords({ nodes }: Block, wayDown: WayDown | undefined): string {
  const known = nodes.map((node) => wayDown?.nodes.get(node.name)).filter((words) => words !== undefined);
  if (known.length === 0) return '';
  return known.filter((words) => words !== '').join(' ← ') || 'unchanged';
}

/** Ops that are drawn in the row of what they follow. */
const followers: ReadonlySet<OpKind> = new Set<OpKind>([...activationKinds, 'BatchNormalization', 'Identity', 'Add', 'Sub', 'Mul']);

/** Groups each node with what only follows it. Nodes that make constants are no part of the drawing. */
function blocksOf(graph: Graph, ends: ReadonlySet<string>): readonly Block[] {
  const readers = consumers(graph);
  const drawn = new Set(graph.inputs.map((input) => input.name));
  for (const node of graph.nodes) if (node.inputs.some((input) => drawn.has(input))) for (const output of node.outputs) drawn.add(output);
  const flowing = (node: Node) => [...new Set(node.inputs.filter((input) => drawn.has(input)))];
  const fused = new Set<Node>();
  const blocks: Block[] = [];
  for (const node of graph.nodes) {
    if (fused.has(node) || !drawn.has(node.outputs[0]!)) continue;
    const nodes = [node];
    for (;;) {
      const output = nodes.at(-1)!.outputs[0]!;
      const [next, other] = readers.get(output) ?? [];
      const follows = next && !other && followers.has(next.kind) && next.inputs.filter((input) => drawn.has(input)).length === 1;
      if (!follows || graph.outputs.includes(output) || ends.has(output)) break;
      nodes.push(next);
      fused.add(next);
    }
    blocks.push({ nodes, inputs: flowing(node), output: nodes.at(-1)!.outputs[0]! });
  }
  return blocks;
}

function freeLane(lanes: readonly (string | undefined)[], from: number): number {
  for (let at = from; ; at++) if (lanes[at] === undefined) return at;
}

function lanesWithNode(lanes: readonly (string | undefined)[], at: number): string {
  return Array.from({ length: lanes.length }, (_, lane) => (lane === at ? '●' : lanes[lane] === undefined ? ' ' : '│')).join(' ').trimEnd();
}

/** A horizontal line from one lane to others on its right; `end` is the corner at the last of them. */
function lanesWith(lanes: readonly (string | undefined)[], from: number, to: readonly number[], end: string): string {
  const last = Math.max(...to);
  let text = '';
  for (let lane = 0; lane < Math.max(lanes.length, last + 1); lane++) {
    const alive = lanes[lane] !== undefined;
    const within = lane > from && lane < last;
    const corner = lane === from ? '├' : lane === last ? end : to.includes(lane) ? '┴' : within ? (alive ? '┼' : '─') : alive ? '│' : ' ';
    text += corner + (lane >= from && lane < last ? '─' : ' ');
  }
  return text.trimEnd();
}

function sizeWords(graph: Graph, name: string): string {
  return valueOf(graph, name).shape.slice(1).join(' x ');
}
