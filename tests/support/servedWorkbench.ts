/** `switchback serve` as a process of its own, and the typed client that talks to it, with its token as a bearer. */
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/fetch';
import type { ContractRouterClient } from '@orpc/contract';
import { rpcPrefix, type contract } from '../../src-shared/contract/contract.ts';
import { startCommand } from './commandLine.ts';
import { eventually } from './processes.ts';

export type CoreClient = ContractRouterClient<typeof contract>;

export interface ServedWorkbench {
  /** What it printed: the address with its token. */
  readonly address: string;
  readonly origin: string;
  readonly token: string;
  readonly client: CoreClient;
  /** Ends it as a shell does; resolves with its exit code. */
  stop(): Promise<number | null>;
}

/** Serves a workspace (made if missing) on any free port. */
export async function serveWorkbench(home: string, ...args: readonly string[]): Promise<ServedWorkbench> {
  const command = startCommand(home, ['serve', '--no-open', ...args]);
  const ended = command.finished.then(({ code, stderr }) => {
    throw new Error(`serve ended with ${code}: ${stderr}`);
  });
  ended.catch(() => undefined);
  const printed = eventually(async () => /http:\/\/127\.0\.0\.1:\d+\/\?token=[0-9a-f]+/.exec(command.output())?.[0], 'printed address');
  const address = await Promise.race([printed, ended]);
  const { origin, searchParams } = new URL(address);
  const token = searchParams.get('token')!;
  return {
    address,
    origin,
    token,
    client: clientOf(origin, token),
    async stop() {
      command.process.kill('SIGTERM');
      return (await command.finished).code;
    },
  };
}

/** A typed client of the core at `origin`. */
export function clientOf(origin: string, token: string): CoreClient {
  return createORPCClient(new RPCLink({ url: `${origin}${rpcPrefix}`, headers: { authorization: `Bearer ${token}` } }));
}
