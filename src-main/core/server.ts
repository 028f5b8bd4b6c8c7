/** The core's HTTP side: access check, limits, typed RPC, pictures, and the interface itself. Loopback unless asked otherwise. */
import { serve, type HttpBindings, type ServerType } from '@hono/node-server';
import { RPCHandler } from '@orpc/server/fetch';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { AddressInfo } from 'node:net';
import { rpcPrefix } from '../../src-shared/contract/contract.ts';
import { labUploadPath } from '../../src-shared/contract/labMedia.ts';
import { AppError } from '../../src-shared/errors.ts';
import type { Services } from '../services/services.ts';
import { checkAccess, cookieNameFor, type AccessRules } from './access.ts';
import { acceptedHosts, loopback } from './hosts.ts';
import { mediaRoutes } from './media.ts';
import { createRates, usualRateLimits, type RateLimits } from './rates.ts';
import { createRouter } from './router.ts';
import { openStaticFiles } from './staticFiles.ts';

/** No message of the contract comes near this. */
const largestBodyBytes = 1_000_000;
/** A slow sender holds a connection no longer than this; answers may take as long as they need. */
const requestLimitMs = 60_000;
const headersLimitMs = 15_000;
const largestHeaderBytes = 16_384;
const mostConnections = 512;

export interface ServerOptions {
  readonly services: Services;
  readonly token: string;
  /** Built interface (out/renderer). */
  readonly interfaceFolder: string;
  /** 0: any free port. */
  readonly port: number;
  /** Address to listen on; absent: loopback. */
  readonly host?: string;
  readonly rateLimits?: RateLimits;
}

export interface RunningServer {
  readonly port: number;
  close(): Promise<void>;
}

export async function startServer({ services, token, interfaceFolder, port, host = loopback, rateLimits = usualRateLimits }: ServerOptions): Promise<RunningServer> {
  const files = await openStaticFiles(interfaceFolder);
  services.cropKeeping.start();
  const rpc = new RPCHandler(createRouter(services));
  const rates = createRates(rateLimits);
  const app = new Hono<{ Bindings: HttpBindings }>();
  let rules: AccessRules = { token, hosts: [], cookieName: '' };

  app.use(async (context, next) => {
    const access = checkAccess(context.req.raw, rules);
    if (access.kind === 'refused') {
      return rates.mayRefuseAgain() ? context.text(access.reason, access.status) : context.text('Too many refused requests. Wait a second.', 429, { 'retry-after': '1' });
    }
    const leave = rates.enter();
    if (leave === undefined) return context.text('Too many requests are under way. Close other windows of the workbench.', 429, { 'retry-after': '1' });
    // A stream counts until its connection ends, not only until it began.
    context.env.outgoing.once('close', leave);
    await next();
    if (access.setCookie) context.header('set-cookie', access.setCookie);
    context.header('x-content-type-options', 'nosniff');
    context.header('cross-origin-resource-policy', 'same-origin');
  });
  const limited = bodyLimit({ maxSize: largestBodyBytes });
  // A picture that a person gives is larger than any message; its route has a limit of its own.
  app.use((context, next) => (context.req.path === labUploadPath ? next() : limited(context, next)));
  app.use(`${rpcPrefix}/*`, async (context) => {
    const { matched, response } = await rpc.handle(context.req.raw, { prefix: rpcPrefix, context: {} });
    return matched ? context.newResponse(response.body, response) : context.text('There is no such call.', 404);
  });
  app.route('/media', mediaRoutes(services));
  // What is no picture is not the page either.
  app.all('/media/*', (context) => context.text('There is no such picture.', 404));
  app.get('*', async (context) => (await files.serve(new URL(context.req.url).pathname)) ?? context.text('Not found.', 404));

  const serverOptions = { maxHeaderSize: largestHeaderBytes, headersTimeout: headersLimitMs, requestTimeout: requestLimitMs };
  const server = serve({ fetch: app.fetch, hostname: host, port, serverOptions });
  if ('maxConnections' in server) server.maxConnections = mostConnections;
  await listening(server, host, port);
  const bound = (server.address() as AddressInfo).port;
  rules = { token, hosts: acceptedHosts(host, bound), cookieName: cookieNameFor(bound) };
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

function listening(server: ServerType, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('listening', resolve);
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') reject(new AppError('CONFLICT', `Port ${port} is taken by another program. Choose another with --port.`, { port }));
      else if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') reject(new AppError('BAD_REQUEST', `This machine has no address ${host} to listen on. Use one of its own with --host, or leave it out.`, { host }));
      else reject(error);
    });
  });
}
