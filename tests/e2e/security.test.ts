/**
 * What the README's threat model says, tried: strangers, other pages of the same browser, names that somebody made to do harm, too much at once, and that
 * nothing of Switchback ever calls anywhere.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { safe } from '@orpc/client';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mediaRoutes } from '../../src-main/core/media.ts';
import { startServer, type RunningServer } from '../../src-main/core/server.ts';
import { createServices, type Services } from '../../src-main/services/services.ts';
import { contract } from '../../src-shared/contract/contract.ts';
import { runCommand, startCommand, temporaryFolder } from '../support/commandLine.ts';
import { hostileNames, writeHostileModel } from '../support/hostileModel.ts';
import { writeNoisePictures } from '../support/noisePictures.ts';
import { allGone, eventually } from '../support/processes.ts';
import { rawRequest, type RawAnswer, type RawRequest } from '../support/rawRequest.ts';
import { clientOf, serveWorkbench, type ServedWorkbench } from '../support/servedWorkbench.ts';
import { describeWhere, repositoryRoot } from '../support/testData.ts';

const token = 'b1946ac92492d2347c6235b4d2611184';
const folder = temporaryFolder('security');
const program = process.env['SWITCHBACK_CHROMIUM'] ?? '/usr/bin/chromium';
const hostileIds = ['../../../etc/passwd', '..%2f..%2fetc%2fpasswd', '%2e%2e', '..\\..\\windows', '/etc/passwd', 'C:\\secret', 'file:///etc/passwd', "' OR 1=1 --", '%00', '\u202e', 'a'.repeat(5000), '__proto__', '-1', '1e400', 'NaN'];
let services: Services;
let server: RunningServer;

const raw = (request: RawRequest): Promise<RawAnswer> => rawRequest(server.port, request);
const bearer = { authorization: `Bearer ${token}` };

beforeAll(async () => {
  for (const name of ['interface', 'inside/deeper', 'outside']) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, 'interface/index.html'), '<!doctype html><title>page</title>');
  writeFileSync(join(folder, 'secret.txt'), 'the secret');
  symlinkSync(join(folder, 'outside'), join(folder, 'inside/way out'));
  services = createServices({
    version: 'test',
    workerEntry: join(repositoryRoot, 'src-main/inference/worker/main.ts'),
    folders: { config: join(folder, 'config'), data: join(folder, 'data') },
    listingRoots: [join(folder, 'inside')],
  });
  server = await startServer({ services, token, interfaceFolder: join(folder, 'interface'), port: 0, rateLimits: { refusalsPerSecond: 5000, atOnce: 20 } });
});

afterAll(async () => {
  await server.close();
  await services.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Procedure {
  readonly path: string;
  readonly input: { readonly shape?: Readonly<Record<string, { safeParse(value: unknown): { success: boolean } }>>; unwrap?: () => Procedure['input'] } | undefined;
}

/** Every call of the contract. */
function procedures(part: object = contract, path = ''): Procedure[] {
  if ('~orpc' in part) return [{ path: path.slice(1), input: (part['~orpc'] as { inputSchema?: Procedure['input'] }).inputSchema }];
  return Object.entries(part).flatMap(([name, below]) => procedures(below as object, `${path}/${name}`));
}

/** Every address of pictures, with a harmless word for each of its variables. */
function pictureAddresses(word = 'abcdefgh'): string[] {
  const patterns = mediaRoutes(services).routes.filter((route) => route.method === 'GET').map((route) => `/media${route.path}`);
  return [...new Set(patterns)].map((pattern) => pattern.replaceAll(/:\w+(\{[^}]*\})?/g, word));
}

const doors = (): string[] => ['/', '/assets/main-1.js', ...procedures().map(({ path }) => `/rpc/${path}`), ...pictureAddresses()];

describe('every door', () => {
  it('is known to this test: all areas of the contract and all kinds of pictures', () => {
    expect(procedures().length).toBeGreaterThan(40);
    expect(new Set(procedures().map(({ path }) => path.split('/')[0]))).toEqual(new Set(Object.keys(contract)));
    expect(pictureAddresses().length).toBeGreaterThan(6);
  });

  const post = (path: string, headers: Record<string, string>): Promise<RawAnswer> =>
    raw({ path, method: path.startsWith('/rpc/') ? 'POST' : 'GET', headers: { 'content-type': 'application/json', ...headers }, ...(path.startsWith('/rpc/') ? { body: '{}' } : {}) });

  it.each([
    ['without the token', 401, () => ({})],
    ['with half of it', 401, () => ({ authorization: `Bearer ${token.slice(0, 16)}` })],
    ['with the cookie of another port', 401, () => ({ cookie: `switchback-${server.port + 1}=${token}` })],
    ['for another host', 421, () => ({ ...bearer, host: 'rebound.example' })],
    ['from another page', 403, () => ({ cookie: `switchback-${server.port}=${token}`, origin: 'http://evil.example' })],
    ['from a page of another local server, which sends no Origin for pictures', 403, () => ({ cookie: `switchback-${server.port}=${token}`, 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' })],
  ] as const)('is shut %s', async (_who, status, headers) => {
    for (const path of doors()) expect([path, (await post(path, headers())).status]).toEqual([path, status]);
  });

  it('opens to a link from elsewhere only as a whole page', async () => {
    const cookie = { cookie: `switchback-${server.port}=${token}`, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
    expect((await raw({ path: '/w/some', headers: { ...cookie, 'sec-fetch-dest': 'document' } })).status).toBe(200);
    expect((await raw({ path: '/w/some', headers: { ...cookie, 'sec-fetch-dest': 'iframe' } })).status).toBe(403);
  });

  it('answers no request to become a web socket', async () => {
    const socket = connect(server.port, '127.0.0.1');
    socket.write(`GET /rpc/jobs/watch HTTP/1.1\r\nHost: 127.0.0.1:${server.port}\r\nOrigin: http://evil.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`);
    const heard = await new Promise<string>((settle) => socket.once('data', (bytes) => settle(bytes.toString())));
    socket.destroy();
    expect(heard).toMatch(/^HTTP\/1\.1 403 /);
  });

  it('is kept from being framed, embedded, sniffed or given away by a referrer', async () => {
    const { headers } = await raw({ path: '/', headers: bearer });
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'same-origin', 'cross-origin-opener-policy': 'same-origin', 'referrer-policy': 'no-referrer' });
    expect(headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'; ");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(headers['permissions-policy']).toMatch(/^camera=\(self\), microphone=\(\), geolocation=\(\), /);
    expect((await raw({ path: '/media/preview/none', headers: bearer })).headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cross-origin-resource-policy': 'same-origin' });
  });
});

describe('ids', () => {
  it('of calls are never paths', () => {
    const ids = procedures().flatMap(({ path, input }) => {
      const shape = input?.shape ?? input?.unwrap?.()?.shape ?? {};
      return Object.entries(shape).filter(([name]) => /^(index|id|job|jobId|checkpoint|map)$/.test(name)).map(([name, schema]) => ({ name: `${path}: ${name}`, schema }));
    });
    expect(ids.length).toBeGreaterThan(15);
    for (const { name, schema } of ids) {
      for (const id of ['../../../etc/passwd', '/etc/passwd', 'C:\\secret', "' OR 1=1 --", '\u0000', 'a'.repeat(5000), '']) expect([name, id.slice(0, 30), schema.safeParse(id).success]).toEqual([name, id.slice(0, 30), false]);
    }
  });

  it('of pictures are refused one by one, with a reason and without a trace of a file', async () => {
    let tried = 0;
    for (const address of pictureAddresses('1')) {
      const parts = address.split('/');
      for (let position = 3; position < parts.length; position += 1) {
        for (const id of hostileIds) {
          const path = parts.with(position, encodeURIComponent(id)).join('/');
          const { status, text } = await raw({ path: `${path}?size=64&method=deconvnet&seed=one&scale=quantile&area=patch`, headers: bearer });
          expect([path.slice(0, 120), [404, 422].includes(status)], `${status} ${text.slice(0, 200)}`).toEqual([path.slice(0, 120), true]);
          expect(text).not.toMatch(/root:|the secret/);
          tried += 1;
        }
      }
    }
    expect(tried).toBeGreaterThan(200);
  });
});

describe('limits', () => {
  it('refuses an oversized body at every door, announced or not', async () => {
    const body = 'x'.repeat(1_000_001);
    for (const path of ['/', '/rpc/models/inspect', '/rpc/nothing', '/media/image/abcdefgh/0']) {
      for (const length of [{ 'content-length': String(body.length) }, { 'transfer-encoding': 'chunked' }] as Record<string, string>[]) {
        const { status } = await raw({ path, method: 'POST', headers: { ...bearer, 'content-type': 'application/json', ...length }, body });
        expect([path, [404, 413].includes(status)], String(status)).toEqual([path, true]);
      }
    }
    expect((await raw({ path: '/', headers: { ...bearer, 'x-long': 'x'.repeat(20_000) } })).status).toBe(431);
  });

  it('keeps no more than a number of requests open, and lets others in when those end', async () => {
    const client = clientOf(`http://127.0.0.1:${server.port}`, token);
    const controllers = Array.from({ length: 20 }, () => new AbortController());
    await Promise.all(controllers.map(async ({ signal }) => void (await (await client.jobs.watch(undefined, { signal })).next())));
    const refused = await raw({ path: '/', headers: bearer });
    expect([refused.status, refused.text, refused.headers['retry-after']]).toEqual([429, 'Too many requests are under way. Close other windows of the workbench.', '1']);
    for (const controller of controllers) controller.abort();
    await eventually(async () => ((await raw({ path: '/', headers: bearer })).status === 200 ? true : undefined), 'room for a request', 5000);
  });

  it('tires of a stranger who guesses, and still answers who holds the token', async () => {
    const slow = await startServer({ services, token, interfaceFolder: join(folder, 'interface'), port: 0, rateLimits: { refusalsPerSecond: 5, atOnce: 20 } });
    try {
      const statuses: number[] = [];
      for (let guess = 0; guess < 12; guess += 1) statuses.push((await rawRequest(slow.port, { path: `/?token=${guess}` })).status);
      expect(statuses.slice(0, 5)).toEqual([401, 401, 401, 401, 401]);
      expect(statuses).toContain(429);
      expect((await rawRequest(slow.port, { path: '/', headers: bearer })).status).toBe(200);
    } finally {
      await slow.close();
    }
  });

  it('lists no folder outside of the chosen ones, by no way', async () => {
    const client = clientOf(`http://127.0.0.1:${server.port}`, token);
    const inside = join(folder, 'inside');
    expect(await client.files.list({})).toMatchObject({ path: inside, parent: null });
    expect(await client.files.list({ path: join(inside, 'deeper') })).toMatchObject({ parent: inside });
    for (const path of ['/', '/etc', folder, join(inside, '..'), join(inside, '../outside'), join(inside, 'way out'), `${inside}2`, '../..', join(inside, 'way out/none')]) {
      const [error] = await safe(client.files.list({ path }));
      expect([path, error?.message]).toEqual([path, expect.stringMatching(/^The folder .* is outside of what this workbench lists \(.*inside\)\. Type its path where one is asked for, or start "switchback serve" with --root .*\.$/)]);
    }
  });
});

describe('serve for other machines', () => {
  it('warns, demands the token, and answers for the names of this machine only', async () => {
    const home = temporaryFolder('host');
    const command = startCommand(home, ['serve', '--no-open', '--host', '0.0.0.0']);
    try {
      const address = await eventually(async () => /http:\/\/[\d.]+:\d+\/\?token=[0-9a-f]{48}/.exec(command.output())?.[0], 'address');
      const port = Number(new URL(address).port);
      const host = { host: `localhost:${port}` };
      expect((await rawRequest(port, { path: '/', headers: host })).status).toBe(401);
      expect((await rawRequest(port, { path: '/', headers: { host: `rebound.example:${port}` } })).status).toBe(421);
      expect((await rawRequest(port, { path: '/', headers: { ...host, authorization: `Bearer ${new URL(address).searchParams.get('token')}` } })).status).not.toBe(401);
    } finally {
      command.process.kill('SIGTERM');
    }
    const { stderr } = await command.finished;
    expect(stderr).toMatch(/^Warning: everyone who can reach 0\.0\.0\.0 and has this address can read every picture and model file that you can, and what travels is not encrypted\./);
    const foreign = await runCommand(home, 'serve', '--no-open', '--host', '192.0.2.1');
    expect([foreign.code, foreign.stderr]).toEqual([1, 'switchback: This machine has no address 192.0.2.1 to listen on. Use one of its own with --host, or leave it out.\n']);
    rmSync(home, { recursive: true, force: true });
  });
});

describe('names that were made to do harm', () => {
  it('do nothing to a terminal', async () => {
    const path = join(folder, 'hostile.onnx');
    writeHostileModel(path);
    const { code, stdout } = await runCommand(folder, 'import', path);
    expect(code).toBe(0);
    expect(stdout).toContain('line break\\u0000null\\u001b]0;owned\\u0007\\u001b[31mred\\u202ereversed');
    expect(stdout).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/);
  });

  it('of a megabyte are refused with a short message', async () => {
    const path = join(folder, 'long.onnx');
    writeHostileModel(path, ['x'.repeat(1_000_000)]);
    const client = clientOf(`http://127.0.0.1:${server.port}`, token);
    const [error] = await safe(client.models.inspect({ path }));
    expect(error?.message).toMatch(/^A node in long\.onnx has a name of 1000000 characters, beginning with "x{40}"; names up to 1000 are read\. The file is broken or made to do harm\.$/);
  });
});

describeWhere('in a browser', !existsSync(program) ? `${program} is not there` : existsSync(join(repositoryRoot, 'out/renderer/index.html')) ? null : 'the interface is not built (npm run build)', () => {
  const home = temporaryFolder('hostile');
  let workbench: ServedWorkbench;
  let elsewhere: Server;
  let browser: Browser;
  let context: BrowserContext;
  const dialogs: string[] = [];
  const requests: string[] = [];

  beforeAll(async () => {
    writeHostileModel(join(home, 'hostile.onnx'));
    await writeNoisePictures(join(home, 'pictures'), 12);
    workbench = await serveWorkbench(home, '--workspace', join(home, 'workspace'));
    elsewhere = createServer((_request, response) => response.setHeader('content-type', 'text/html').end('<!doctype html><title>elsewhere</title>')).listen(0, '127.0.0.1');
    browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'] });
    context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-US' });
    context.setDefaultTimeout(20_000);
    context.on('page', (page) => {
      page.on('dialog', (dialog) => {
        dialogs.push(dialog.message());
        void dialog.dismiss();
      });
      page.on('request', (request) => requests.push(request.url()));
    });
  });

  afterAll(async () => {
    await browser?.close();
    elsewhere?.close();
    await workbench?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  it('a page of another local server gets nothing, although the browser has the cookie', async () => {
    const own = await context.newPage();
    await own.goto(workbench.address);
    expect(await own.evaluate(async () => (await fetch('/rpc/settings/get', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' })).status)).toBe(200);
    const page = await context.newPage();
    await page.goto(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`);
    const outcomes = await page.evaluate(async (origin) => {
      const outcome = async (work: () => Promise<unknown>): Promise<unknown> => work().catch((error: Error) => error.name);
      const event = (target: EventTarget): Promise<string> => new Promise((settle) => ['load', 'error', 'open', 'message'].forEach((name) => target.addEventListener(name, () => settle(name))));
      const embedded = (kind: 'img' | 'script', address: string): Promise<string> => {
        const element = document.createElement(kind);
        element.src = `${origin}${address}`;
        const ended = event(element);
        document.head.append(element);
        return ended;
      };
      return {
        call: await outcome(async () => (await fetch(`${origin}/rpc/settings/get`, { method: 'POST', credentials: 'include', headers: { 'content-type': 'application/json' }, body: '{}' })).status),
        simpleCall: await outcome(async () => (await fetch(`${origin}/rpc/settings/get`, { method: 'POST', credentials: 'include', body: '{"json":{"theme":"dark"}}' })).status),
        blindCall: await outcome(async () => (await fetch(`${origin}/rpc/settings/set`, { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{"json":{"theme":"dark"}}' })).type),
        stream: await event(new EventSource(`${origin}/rpc/jobs/watch`, { withCredentials: true })),
        socket: await event(new WebSocket(`${origin.replace('http', 'ws')}/rpc/jobs/watch`)),
        picture: await embedded('img', '/switchback.png'),
        script: await embedded('script', '/rpc/settings/get'),
      };
    }, workbench.origin);
    expect(outcomes).toEqual({ call: 'TypeError', simpleCall: 'TypeError', blindCall: expect.stringMatching(/opaque|TypeError/), stream: 'error', socket: 'error', picture: 'error', script: 'error' });
    expect((await workbench.client.settings.get()).theme).toBe('system');
    await page.close();
    await own.close();
  });

  it('shows hostile names as what they are: text', async () => {
    const { preprocessing } = await workbench.client.models.inspect({ path: join(home, 'hostile.onnx') });
    const page = await context.newPage();
    await page.goto(workbench.address);
    await page.goto(`${workbench.origin}/import?${new URLSearchParams({ model: join(home, 'hostile.onnx'), images: join(home, 'pictures') }).toString()}`);
    await page.getByText('Start indexing').waitFor();
    await neutral(page, hostileNames[0]);
    const { index } = await workbench.client.indexing.start({ modelPath: join(home, 'hostile.onnx'), imagesPath: join(home, 'pictures'), preprocessing, batch: 4 });
    await eventually(async () => ((await workbench.client.indexing.get({ index })).state === 'complete' ? true : undefined), 'index', 60_000);
    const { id } = (await workbench.client.workspaces.current())!;
    for (const [position, name] of hostileNames.entries()) {
      await page.goto(`${workbench.origin}/w/${id}/i/${index}/l/${position + 1}/c/0`);
      await page.getByRole('navigation', { name: 'Layers' }).getByRole('link').first().waitFor();
      await neutral(page, name.startsWith('line') ? 'reversed' : name.slice(0, 60));
    }
    await page.close();
  });

  it('asks nobody but the workbench itself', () => {
    const strange = requests.filter((address) => !address.startsWith(workbench.origin) && !address.startsWith('blob:') && !address.startsWith('data:') && !address.startsWith(`http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/`));
    expect(requests.length).toBeGreaterThan(20);
    expect(strange).toEqual([]);
  });

  /** The text stands there; no element, script or dialog came of it; the page is not torn. */
  async function neutral(page: Page, text: string): Promise<void> {
    await eventually(async () => ((await page.evaluate((wanted) => document.body.textContent?.includes(wanted), text)) ? true : undefined), `the name ${JSON.stringify(text)}`, 15_000);
    const state = await page.evaluate(() => ({
      owned: Reflect.get(window, 'owned') as unknown,
      smuggled: [...document.querySelectorAll('img[src="x"], script:not([src]), [onerror]')].length,
      wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    }));
    expect(state).toEqual({ owned: undefined, smuggled: 0, wide: 0 });
    expect(dialogs).toEqual([]);
  }
});

describeWhere('no connection to anywhere', process.platform === 'linux' ? (existsSync('/usr/bin/strace') ? null : '/usr/bin/strace is not there (apt-get install strace)') : 'connections are traced with strace, which only Linux has', () => {
  it('is made by the core, its inference processes or the command line, while they import, index, project and look for devices', async () => {
    const home = temporaryFolder('silent');
    const trace = join(home, 'connections.txt');
    writeHostileModel(join(home, 'net.onnx'), ['first', 'second']);
    await writeNoisePictures(join(home, 'pictures'), 12);
    const traced = (...args: string[]): Promise<number | null> =>
      new Promise((settle, reject) => {
        const child = spawn('/usr/bin/strace', ['-f', '-A', '-qq', '-e', 'trace=connect,sendto,sendmsg,sendmmsg', '-e', 'signal=none', '-o', trace, process.execPath, join(repositoryRoot, 'src-main/cli/main.ts'), ...args], {
          cwd: home,
          env: { ...process.env, SWITCHBACK_HOME: home },
          stdio: 'ignore',
        });
        child.once('error', reject);
        child.once('close', settle);
      });
    const common = ['--workspace', join(home, 'workspace')];
    expect(await traced('index', ...common, '--model', join(home, 'net.onnx'), '--images', join(home, 'pictures'), '--device', 'cpu', '--batch', '4')).toBe(0);
    expect(await traced('project', ...common, '--layer', 'second', '--channel', '1', '--hit', '1', '--out', join(home, 'hit.png'))).toBe(0);
    expect(await traced('doctor')).toBe(0);
    const lines = readFileSync(trace, 'utf8').split('\n').filter((line) => /sa_family=AF_INET6?/.test(line));
    expect(lines).toEqual([]);
    // The trace itself works: a connection that is made on purpose is seen.
    const probe = spawn('/usr/bin/strace', ['-f', '-A', '-qq', '-e', 'trace=connect', '-o', trace, process.execPath, '-e', "require('net').connect(9, '127.0.0.1').on('error', () => {})"], { stdio: 'ignore' });
    await new Promise((settle) => probe.once('close', settle));
    expect(readFileSync(trace, 'utf8')).toMatch(/connect\(.*sin_port=htons\(9\)/);
    await allGone(home);
    rmSync(home, { recursive: true, force: true });
  });
});
