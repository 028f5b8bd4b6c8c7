/** The core's HTTP side: access check, typed RPC, pictures, and the interface itself. Loopback unless asked otherwise. */
import { serve } from '@hono/node-server';
import { RPCHandler } from '@orpc/server/fetch';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { AddressInfo } from 'node:net';
import { rpcPrefix } from '../../src-shared/contract/contract.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { Services } from '../services/services.ts';
import { checkAccess, cookieNameFor, type AccessRules } from './access.ts';
import { mediaRoutes } from './media.ts';
import { createRouter } from './router.ts';
import { openStaticFiles } from './staticFiles.ts';

/** No message of the contract comes near this. */
const largestBodyBytes = 1_000_000;

export interface ServerOptions {
  readonly services: Services;
  readonly token: string;
  /** Built interface (out/renderer). */
  readonly interfaceFolder: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface RunningServer {
  readonly port: number;
  close(): Promise<void>;
}

const host = '127.0.0.1';

export async function startServer({ services, token, interfaceFolder, port }: ServerOptions): Promise<RunningServer> {
  const files = await openStaticFiles(interfaceFolder);
  services.cropKeeping.start();
  const rpc = new RPCHandler(createRouter(services));
  const app = new Hono();
  let rules: AccessRules = { token, hosts: [], cookieName: '' };

  app.use(async (context, next) => {
    const access = checkAccess(context.req.raw, rules);
    if (access.kind === 'refused') return context.text(access.reason, access.status);
    await next();
    if (access.setCookie) context.header('set-cookie', access.setCookie);
    context.header('x-content-type-options', 'nosniff');
  });
  app.use(`${rpcPrefix}/*`, bodyLimit({ maxSize: largestBodyBytes }));
  app.use(`${rpcPrefix}/*`, async (context) => {
    const { matched, response } = await rpc.handle(context.req.raw, { prefix: rpcPrefix, context: {} });
    return matched ? context.newResponse(response.body, response) : context.text('There is no such call.', 404);
  });
  app.route('/media', mediaRoutes(services));
  app.get('*', async (context) => (await files.serve(new URL(context.req.url).pathname)) ?? context.text('Not found.', 404));

  const server = serve({ fetch: app.fetch, hostname: host, port });
  await new Promise<void>((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new AppError('CONFLICT', `Port ${port} is taken by another program. Choose another with --port.`, { port }) : error);
    });
  });
  const bound = (server.address() as AddressInfo).port;
  rules = { token, hosts: [`${host}:${bound}`, `localhost:${bound}`], cookieName: cookieNameFor(bound) };
  return {
    port: bound,
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
      });
    },
  };
}
