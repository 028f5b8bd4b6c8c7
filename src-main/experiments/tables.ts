/** The numbers of the experiments that train nothing, as tables in the paper's layout. Errors are shown in percent, as the paper has them. */
import type * as z from 'zod';
import type { correspondenceNumbers, errorNumbers, evidenceNumbers } from '../../src-shared/contract/experimentStudies.ts';
import type { ShownResult } from './shownResult.ts';

type Tables = ShownResult['tables'];

export function errorTable({ rows }: z.output<typeof errorNumbers>): Tables {
  const columns = (rows[0]?.rates ?? []).flatMap(({ view }) => ['top-1', 'top-5'].map((top) => ({ name: `${top} % (${view === 'centre' ? 'centre crop' : '10 crops'})`, digits: 1 })));
  return [{ title: 'Error rates', columns: [{ name: 'network' }, ...columns], rows: rows.map(({ name, rates }) => [name, ...rates.flatMap(({ top1, top5 }) => [100 * top1, 100 * top5])]), inFigure: true }];
}

export function correspondenceTable({ layers, rows }: z.output<typeof correspondenceNumbers>): Tables {
  const random = rows.find(({ part }) => part === null);
  const plusMinus = (mean: number, deviation: number) => `${mean.toFixed(4)} ± ${deviation.toFixed(4)}`;
  return [
    {
      title: 'Mean sign change of features (± over pairs of pictures; of the random boxes over their draws)',
      columns: [{ name: 'hidden part' }, ...layers.map(({ title }) => ({ name: title }))],
      rows: rows.map(({ part, cells }) => [part ?? 'random', ...cells.map((cell) => (cell ? plusMinus(cell.mean, cell.drawDeviation ?? cell.deviation) : null))]),
      inFigure: true,
    },
    {
      title: 'Mean sign change of features, exactly',
      columns: [{ name: 'hidden part' }, { name: 'layer' }, { name: 'mean' }, { name: 'deviation over pairs' }, { name: 'deviation over draws' }],
      rows: rows.flatMap(({ part, cells }) => cells.map((cell, at) => [part ?? 'random', layers[at]!.title, cell?.mean ?? null, cell?.deviation ?? null, cell?.drawDeviation ?? null])),
      inFigure: false,
    },
    {
      title: 'Draws of random boxes',
      columns: [{ name: 'draw' }, ...layers.map(({ title }) => ({ name: title }))],
      rows: (random?.cells[0]?.draws ?? []).map((_, draw) => [draw + 1, ...random!.cells.map((cell) => cell?.draws[draw] ?? null)]),
      inFigure: false,
    },
  ];
}

export function evidenceTable({ channels, against }: z.output<typeof evidenceNumbers>): Tables {
  const columns = [{ name: 'channel', digits: 0 }, { name: 'AUC', digits: 3 }, { name: 'deviations above chance', digits: 1 }, { name: 'mean on the class', digits: 3 }, { name: 'mean on the others', digits: 3 }];
  const rows = (all: typeof channels) => all.map(({ channel, auc, deviations, mean, otherMean }) => [channel, auc, deviations, mean, otherMean]);
  return [
    { title: 'Channels that speak for the class', columns, rows: rows(channels), inFigure: true },
    { title: 'Channels that speak against it', columns, rows: rows(against), inFigure: false },
  ];
}
