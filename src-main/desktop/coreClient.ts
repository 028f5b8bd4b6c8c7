/** The shell's own few calls to the core: which workspace is open, what the jobs do, which language is set. The same contract as the page's. */
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/fetch';
import type { ContractRouterClient } from '@orpc/contract';
import type { contract } from '../../src-shared/contract/contract.ts';
import type { CoreAddress } from './coreProcess.ts';

export type CoreClient = ContractRouterClient<typeof contract>;

/** Same value as `rpcPrefix` of the contract, whose schemas stay in the core. */
const rpcPath = '/rpc';

export function coreClient({ port, token }: CoreAddress): CoreClient {
  return createORPCClient(new RPCLink({ url: `http://127.0.0.1:${port}${rpcPath}`, headers: { authorization: `Bearer ${token}` } }));
}
