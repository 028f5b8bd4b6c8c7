/** app://workbench against a real HTTP server in the core's place. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CustomScheme } from 'electron';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { passToCore, registerAppScheme } from '../../../src-main/desktop/appProtocol.ts';
import type { CoreAddress } from '../../../src-main/desktop/coreProcess.ts';
import { pageHeaders } from '../../../src-shared/contract/pagePolicy.ts';

const registered = vi.hoisted<{ schemes: CustomScheme[] }>(() => ({ schemes: [] }));
vi.mock('electron', () => ({ protocol: { registerSchemesAsPrivileged: (schemes: CustomScheme[]) => registered.schemes.push(...schemes) } }));

const token = 'secret-token';
const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function core(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<() => Promise<CoreAddress>> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  return () => Promise.resolve({ port, token });
}

describe('app://workbench', () => {
  it('is registered as standard, secure, for fetch and for streams', () => {
    registerAppScheme();
    expect(registered.schemes).toEqual([{ scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true } }]);
  });

  it('passes path, query, method and body on with the token, and none of the headers that name an origin', async () => {
    const address = await core((request, response) => {
      const body: Buffer[] = [];
      request.on('data', (part: Buffer) => body.push(part));
      request.on('end', () => {
        const { authorization, origin, cookie, referer, 'content-type': contentType } = request.headers;
        response.setHeader('content-type', 'application/json');
        response.end(JSON.stringify({ method: request.method, url: request.url, authorization, origin, cookie, referer, contentType, body: Buffer.concat(body).toString() }));
      });
    });
    const request = new Request('app://workbench/rpc/jobs/list?a=%2F..&b=1', {
      method: 'POST',
      body: '{"json":1}',
      headers: { 'content-type': 'application/json', authorization: 'Bearer forged', referer: 'app://workbench/', origin: 'app://workbench', cookie: 'a=b' },
    });
    const answer = await passToCore(request, address);
    expect(await answer.json()).toEqual({ method: 'POST', url: '/rpc/jobs/list?a=%2F..&b=1', authorization: `Bearer ${token}`, contentType: 'application/json', body: '{"json":1}' });
  });

  it('gives the status and the type back, sets the policy and lets no cookie through', async () => {
    const address = await core((_request, response) => {
      response.writeHead(422, { 'content-type': 'text/html', 'set-cookie': 'token=1' });
      response.end('<p>');
    });
    const answer = await passToCore(new Request('app://workbench/'), address);
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('set-cookie')]).toEqual([422, 'text/html', null]);
    for (const [name, value] of Object.entries(pageHeaders)) expect(answer.headers.get(name)).toBe(value);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'; ");
  });

  it('hands an answer without a body on as one', async () => {
    const address = await core((_request, response) => {
      response.writeHead(304);
      response.end();
    });
    const answer = await passToCore(new Request('app://workbench/media/patches/a/1/2?v=3'), address);
    expect([answer.status, answer.body]).toEqual([304, null]);
  });

  it('streams: the first part arrives before the last is sent, and giving up closes the connection to the core', async () => {
    const closed = Promise.withResolvers<void>();
    const address = await core((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: 1\n\n');
      response.on('close', () => closed.resolve());
    });
    const answer = await passToCore(new Request('app://workbench/rpc/jobs/watch'), address);
    const reader = (answer.body ?? expect.fail('no body')).getReader();
    const { value } = await reader.read();
    expect(Buffer.from(value ?? []).toString()).toBe('data: 1\n\n');
    await reader.cancel();
    await closed.promise;
  });

  it('aborts the request to the core when the renderer aborts', async () => {
    const closed = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const address = await core((_request, response) => {
      response.on('close', () => closed.resolve());
      arrived.resolve();
    });
    const controller = new AbortController();
    const answer = passToCore(new Request('app://workbench/slow', { signal: controller.signal }), address);
    const refused = expect(answer).rejects.toMatchObject({ name: 'AbortError' });
    await arrived.promise;
    controller.abort();
    await refused;
    await closed.promise;
  });

  it('answers 503 with a sentence where the core is not there', async () => {
    const answer = await passToCore(new Request('app://workbench/'), () => Promise.reject(new Error('it ended')));
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ code: 'UNAVAILABLE', message: 'The core does not answer (it ended). It is started again by itself; try once more.', data: {} });
  });

  it('shows a page that asks again by itself where the workbench is not to be had, with the reason as text', async () => {
    const answer = await passToCore(new Request('app://workbench/w/a', { headers: { accept: 'text/html,*/*' } }), () => Promise.reject(new Error('<b>it</b> & "ended"')));
    const page = await answer.text();
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('content-security-policy')]).toEqual([503, 'text/html; charset=utf-8', pageHeaders['content-security-policy']]);
    expect(page).toContain('<meta http-equiv="refresh" content="3">');
    expect(page).toContain('The core does not answer (&#60;b&#62;it&#60;/b&#62; &#38; &#34;ended&#34;).');
  });

  it('knows no other host', async () => {
    const answer = await passToCore(new Request('app://elsewhere/'), () => expect.fail('must not be asked'));
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ message: 'There is nothing at app://elsewhere.' });
  });
});
