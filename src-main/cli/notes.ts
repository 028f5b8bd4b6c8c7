/** `switchback notes`: tags and notes out of a workspace as JSON, and into one. */
import { readFile, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command } from 'commander';
import * as z from 'zod';
import { notesDocument } from '../../src-shared/contract/notes.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { NotesDocument } from '../services/notes.ts';
import type { Session } from './session.ts';
import { writeWhole } from './wholeFile.ts';

export function notesCommand(session: Session): Command {
  return new Command('notes').description('tags and notes of a workspace as JSON').addCommand(exportCommand(session)).addCommand(importCommand(session));
}

function exportCommand(session: Session): Command {
  return new Command('export')
    .description('write all tags and notes')
    .requiredOption('--workspace <folder>')
    .option('--out <file.json>', 'file to write; the standard output if absent')
    .action(async ({ workspace, out }: { readonly workspace: string; readonly out?: string }) => {
      const services = await session.workspace(workspace, { mode: 'read' });
      const document = await services.notes.export();
      if (out === undefined) return session.json(document);
      await writeWhole(resolve(out), Buffer.from(`${JSON.stringify(document, null, 2)}\n`));
      session.line(`${resolve(out)}: tags and notes of ${document.entries.length} places`);
    });
}

function importCommand(session: Session): Command {
  return new Command('import')
    .description('take in tags and notes; nothing that is there is lost, and of two different texts both are kept')
    .argument('<file.json>')
    .requiredOption('--workspace <folder>')
    .option('--json', 'one JSON object')
    .action(async (file: string, { workspace, json }: { readonly workspace: string; readonly json?: boolean }) => {
      const document = await readDocument(resolve(file));
      const services = await session.workspace(workspace, { mode: 'write' });
      const report = await services.notes.import(document);
      if (json) return session.json(report);
      session.line(`${report.added} places added, ${report.merged} merged, ${report.unchanged} unchanged`);
      if (report.conflicts > 0) session.note(`${report.conflicts} places had another text already: both are kept, one below the other.`);
    });
}

/** Larger than any document that `export` writes. */
const largestBytes = 512 * 2 ** 20;

/** @throws AppError NOT_FOUND, UNREADABLE_FILE where it is not what `notes export` writes */
async function readDocument(file: string): Promise<NotesDocument> {
  const found = await stat(file).catch((cause: unknown) => {
    throw new AppError('NOT_FOUND', `${file} is not there. Name a file that "switchback notes export" wrote.`, { path: file }, cause);
  });
  if (!found.isFile() || found.size > largestBytes) throw new AppError('UNREADABLE_FILE', `${file} is no file of notes: it is a folder, or larger than ${largestBytes} bytes.`, { path: file });
  const parsed = notesDocument.safeParse(parseJson(await readFile(file, 'utf8')));
  if (parsed.success) return parsed.data;
  throw new AppError('UNREADABLE_FILE', `${file} is no file of notes: ${z.prettifyError(parsed.error).split('\n').slice(0, 4).join(' ')}. Name a file that "switchback notes export" wrote.`, { path: file });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
