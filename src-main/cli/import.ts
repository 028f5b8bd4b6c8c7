/** `switchback import MODEL`: the import report. */
import { Command } from 'commander';
import type { Session } from './session.ts';
import { table } from './table.ts';

export function importCommand(session: Session): Command {
  return new Command('import')
    .description('read a model file and report its layers, input, preprocessing and operators')
    .argument('<model>', 'model file (ONNX)')
    .option('--json', 'one JSON object')
    .action(async (model: string, { json }: { json?: boolean }) => {
      const report = await session.services().models.inspect(model, session.signal);
      if (json) return session.json(report);
      session.line(`${report.name}: ${report.provenance}`);
      for (const input of report.inputs) session.line(`input ${input.name} [${input.shape.map((size) => (size === 'batch' ? 'N' : size)).join(', ')}] ${input.dtype}`);
      session.line(report.preprocessingSource);
      session.line('');
      session.line(table(['layer', 'title', 'kind', 'channels', 'size', 'receptive field'], report.layers.map((layer) => [layer.name, layer.title, layer.kind, String(layer.channels), `${layer.height} x ${layer.width}`, `${layer.receptiveField.size.join(' x ')}`])));
      session.line('');
      session.line(table(['operator', 'count', 'status'], report.operators.map((operator) => [operator.op, String(operator.count), operator.note ? `${operator.status}: ${operator.note}` : operator.status])));
      for (const warning of report.warnings) session.note(`Note: ${warning}`);
    });
}
