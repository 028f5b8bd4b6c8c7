/** `switchback import MODEL`: the import report, and with --graph the network with its deconvnet beside it. */
import { Command, Option } from 'commander';
import { methods, type Method } from '../../src-shared/domain/projection.ts';
import { AppError } from '../../src-shared/errors.ts';
import { printNetwork } from '../graph/print.ts';
import { addCropOption, cropPair } from './options.ts';
import type { Session } from './session.ts';
import { table } from './table.ts';

interface ImportFlags {
  readonly json?: boolean;
  readonly graph?: boolean;
  readonly layer?: string;
  readonly method?: Method;
  readonly crop?: number | readonly [number, number];
}

export function importCommand(session: Session): Command {
  const command = new Command('import')
    .description('read a model file and report its layers, input, preprocessing and operators')
    .argument('<model>', 'model file')
    .option('--graph', 'draw the network, and what a projection does on its way down beside it')
    .option('--layer <name>', 'with --graph: where the way down starts (the last layer)')
    .addOption(new Option('--method <method>', 'with --graph: deconvnet if absent').choices([...methods]));
  return addCropOption(command)
    .option('--json', 'one JSON object')
    .action(async (model: string, { json, graph, layer, method, crop }: ImportFlags) => {
      if (!graph && (layer !== undefined || method !== undefined)) throw new AppError('BAD_REQUEST', 'Add --graph: --layer and --method say what is drawn there.');
      const inputSize = cropPair(crop);
      const { models } = session.services();
      const report = await models.inspect(model, session.signal, inputSize);
      const drawn = graph ? await models.draw({ path: model, method: method ?? 'deconvnet', ...(layer === undefined ? {} : { layer }), ...(inputSize ? { inputSize } : {}) }, session.signal) : undefined;
      if (json) return session.json(drawn ? { ...report, graph: drawn } : report);
      session.line(`${report.name}: ${report.provenance}`);
      for (const input of report.inputs) session.line(`input ${input.name} [${input.shape.map((size) => (size === 'batch' ? 'N' : size)).join(', ')}] ${input.dtype}`);
      session.line(report.preprocessingSource);
      session.line('');
      if (drawn) {
        session.line(printNetwork(drawn.rows, { network: 'network', down: drawn.layer === null ? '' : `${drawn.method} of ${drawn.layer}, from below` }));
        if (drawn.reason) session.note(`Note: ${drawn.reason}`);
      } else {
        session.line(table(['layer', 'title', 'kind', 'channels', 'size', 'receptive field'], report.layers.map((each) => [each.name, each.title, each.kind, String(each.channels), `${each.height} x ${each.width}`, `${each.receptiveField.size.join(' x ')}`])));
        session.line('');
        session.line(table(['operator', 'count', 'status'], report.operators.map((operator) => [operator.op, String(operator.count), operator.note ? `${operator.status}: ${operator.note}` : operator.status])));
      }
      for (const warning of report.warnings) session.note(`Note: ${warning}`);
    });
}
