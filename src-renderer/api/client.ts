/**
 * The typed client of the core: the same in an Electron window (app:// proxied by the desktop shell) and in a browser, because every
 * address is relative to where the page came from. Only types come from the contract: its schemas stay in the core, so neither zod nor
 * anything that wants `eval` reaches the page.
 */
import { createORPCClient } from '@orpc/client';
import { RPCLink } from '@orpc/client/fetch';
import type { ContractRouterClient } from '@orpc/contract';
import type { contract } from '../../src-shared/contract/contract.ts';
import { contactingFetch } from './contact.ts';

/** Same value as `rpcPrefix` of the contract, which cannot be imported without its schemas. */
const rpcPath = '/rpc';

const link = new RPCLink({
  url: () => `${location.origin}${rpcPath}`,
  fetch: (request, init) => contactingFetch(request, init as RequestInit),
});

export type Core = ContractRouterClient<typeof contract>;

export const core: Core = createORPCClient(link);
