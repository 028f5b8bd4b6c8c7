/** The services of a core in the test's own process, with a real inference process: as the command line has them, without its start-up. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { placeOf } from '../../src-main/core/place.ts';
import { createServices, type ServiceOptions, type Services } from '../../src-main/services/services.ts';
import { repositoryRoot } from './testData.ts';

/** `home`: folder for settings and recent workspaces. The caller closes them. */
export async function openServices(home: string, workspace: string, options: Partial<ServiceOptions> = {}): Promise<Services> {
  const { workerEntry, version } = placeOf(pathToFileURL(join(repositoryRoot, 'src-main/cli/main.ts')).href);
  const folders = { config: join(home, 'config'), data: join(home, 'data'), cache: join(home, 'cache') };
  const services = createServices({ workerEntry, version, folders, ...options });
  await (options.mode === 'read' || workspace.endsWith('.switchback') ? services.workspaces.open(workspace) : services.workspaces.create({ path: workspace }));
  return services;
}
