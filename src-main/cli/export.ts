/** `switchback export`: the deconvnet of a layer as an ONNX file that any ONNX runtime can run. */
import { extname, resolve } from 'node:path';
import { Command, Option } from 'commander';
import { methods, type Method } from '../../src-shared/domain/projection.ts';
import { AppError } from '../../src-shared/errors.ts';
import { addCropOption, cropPair } from './options.ts';
import type { Session } from './session.ts';
import { writeWhole } from './wholeFile.ts';

interface ExportFlags {
  readonly model: string;
  readonly layer: string;
  readonly method: Method;
  readonly crop?: number | readonly [number, number];
  readonly out: string;
  readonly json?: boolean;
}

export function exportCommand(session: Session): Command {
  const command = new Command('export')
    .description('write the projection of a layer as an ONNX file: inputs image, channel, row, column; output projection')
    .requiredOption('--model <file>')
    .requiredOption('--layer <name>', 'its name or title, as "switchback import" lists them')
    .addOption(new Option('--method <method>').choices([...methods]).default('deconvnet'));
  return addCropOption(command)
    .requiredOption('--out <file.onnx>')
    .option('--json', 'one JSON object')
    .action(async ({ model, layer: wish, method, crop, out, json }: ExportFlags) => {
      if (extname(out).toLowerCase() !== '.onnx') throw new AppError('BAD_REQUEST', `--out ${out}: the file must end in .onnx.`, { out });
      const inputSize = cropPair(crop);
      const { bytes, layer, rectified, shape, preprocessing } = await session.services().exports.projection({ path: model, layer: wish, method, ...(inputSize ? { inputSize } : {}) }, session.signal);
      await writeWhole(resolve(out), bytes);
      const { name, channels, height, width } = layer;
      if (json) return session.json({ out, layer: name, method, seed: 'one', channels, height, width, image: shape, rectified, preprocessing, bytes: bytes.length });
      session.line(`${out}: ${name} by ${method}, ${rectified.handled} of ${rectified.total} nonlinearities rectified, ${bytes.length} bytes`);
      session.line(`inputs image float32 [${shape.join(', ')}] (preprocessed), channel 0..${channels - 1}, row 0..${height - 1}, column 0..${width - 1} int64; output projection float32 [${shape.join(', ')}]`);
    });
}
