#!/usr/bin/env node
/** Entry of the command line. Exit code 0 only when a command did what was asked; errors are one readable line on the error output. */
import { Command } from 'commander';
import { placeOf } from '../core/place.ts';
import { createSession } from './session.ts';
import { atlasCommand } from './atlas.ts';
import { compareCommand } from './compare.ts';
import { demoCommand } from './demo.ts';
import { diagnoseCommand } from './diagnose.ts';
import { doctorCommand } from './doctor.ts';
import { evolutionCommand } from './evolution.ts';
import { experimentCommand } from './experiment.ts';
import { exportCommand } from './export.ts';
import { figureCommand } from './figure.ts';
import { importCommand } from './import.ts';
import { indexCommand } from './index.ts';
import { indexesCommand } from './indexes.ts';
import { labCommand } from './lab.ts';
import { layersCommand } from './layers.ts';
import { mapCommand } from './map.ts';
import { mergeCommand } from './merge.ts';
import { neighboursCommand } from './neighbours.ts';
import { notesCommand } from './notes.ts';
import { packCommand } from './pack.ts';
import { projectCommand } from './project.ts';
import { scoresCommand } from './scores.ts';
import { rescanCommand } from './rescan.ts';
import { serveCommand } from './serve.ts';
import { topCommand } from './top.ts';
import { trainCommand } from './train.ts';
import { sampleCommand } from './sample.ts';

const session = createSession(placeOf(import.meta.url));
const program = new Command('switchback')
  .description('Shows what every channel of a convolutional network looks for, on your own model and images.')
  .version(session.place.version)
  .option('--verbose', 'show where an error came from')
  .configureOutput({ outputError: (text, write) => write(`switchback: ${text.replace(/^error: /, '').trim().replaceAll(/\s*\n\s*/g, ' ')} (--help tells more)\n`) });

for (const command of [importCommand, indexCommand, rescanCommand, layersCommand, topCommand, scoresCommand, projectCommand, atlasCommand, figureCommand, exportCommand, compareCommand, notesCommand, serveCommand, indexesCommand, mergeCommand, packCommand, trainCommand, evolutionCommand, diagnoseCommand, sampleCommand, demoCommand, doctorCommand, labCommand, mapCommand, neighboursCommand, experimentCommand]) {
  const made = command(session).copyInheritedSettings(program);
  for (const part of made.commands) part.copyInheritedSettings(program);
  program.addCommand(made);
}
// A reader that goes away (switchback … | head) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

await session.run(async () => {
  await program.parseAsync();
}, () => program.opts<{ verbose?: boolean }>().verbose ?? false);
