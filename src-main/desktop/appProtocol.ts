/**
 * app://workbench/* is the core's own address behind a name: each request is passed on to the core on the loopback interface with its token,
 * which therefore no page ever sees. Bodies are streamed both ways, and a request that the renderer gives up is given up at the core as well.
 */
import type { CustomScheme, Session } from 'electron';
import { protocol } from 'electron';
import { pageHeaders } from '../../src-shared/contract/pagePolicy.ts';
import { isAbort, toPlainError } from '../../src-shared/errors.ts';
import { appScheme } from './ipcChannels.ts';
import type { CoreAddress } from './coreProcess.ts';

/** What the renderer may say to the core; the rest (Origin, Host, cookies, Sec-*) names an origin that the core does not know. */
const passedRequestHeaders = ['accept', 'accept-language', 'content-type', 'if-none-match', 'if-modified-since', 'last-event-id', 'range'];
/** Headers that describe the bytes on the wire to the core, which fetch has already undone. */
const droppedResponseHeaders = ['connection', 'content-encoding', 'content-length', 'keep-alive', 'set-cookie', 'transfer-encoding'];
const bodyless = [204, 205, 304];

const scheme: CustomScheme = { scheme: appScheme, privileges: { standard: true, secure: true, supportFetchAPI: true, stream: true } };

/** Must be called before the app is ready. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([scheme]);
}

/** Serves app:// in a session. `core` resolves with the address of the running core and waits while it starts again; `passed` hears the path of each request that went well. */
export function serveApp(session: Session, core: () => Promise<CoreAddress>, passed: (path: string) => void): void {
  session.protocol.handle(appScheme, async (request) => {
    const response = await passToCore(request, core);
    if (response.ok) passed(new URL(request.url).pathname);
    return response;
  });
}

/** Passes one request on. Never rejects except when the renderer gave the request up: what goes wrong becomes an answer with a PlainError as JSON. */
export async function passToCore(request: Request, core: () => Promise<CoreAddress>): Promise<Response> {
  const url = new URL(request.url);
  const isPage = (request.headers.get('accept') ?? '').includes('text/html');
  if (url.host !== 'workbench') return refusal(404, `There is nothing at ${url.protocol}//${url.host}.`);
  try {
    const address = await core();
    const target = `http://127.0.0.1:${address.port}${url.pathname}${url.search}`;
    const hasBody = request.method !== 'GET' && request.method !== 'HEAD' && request.body !== null;
    const response = await fetch(target, {
      method: request.method,
      headers: requestHeaders(request.headers, address.token),
      redirect: 'manual',
      signal: request.signal,
      ...(hasBody ? { body: request.body, duplex: 'half' } : {}),
    });
    return new Response(bodyless.includes(response.status) ? null : response.body, {
      status: response.status,
      statusText: response.statusText,
      headers: responseHeaders(response.headers),
    });
  } catch (error) {
    if (isAbort(error)) throw error;
    const message = `The core does not answer (${toPlainError(error).message}). It is started again by itself; try once more.`;
    return isPage ? waitingPage(message) : refusal(503, message);
  }
}

function requestHeaders(from: Headers, token: string): Headers {
  const headers = new Headers({ authorization: `Bearer ${token}` });
  for (const [name, value] of from) {
    if (passedRequestHeaders.includes(name) || name.startsWith('x-')) headers.set(name, value);
  }
  return headers;
}

function responseHeaders(from: Headers): Headers {
  const headers = new Headers(from);
  for (const name of droppedResponseHeaders) headers.delete(name);
  for (const [name, value] of Object.entries(pageHeaders)) headers.set(name, value);
  headers.set('x-content-type-options', 'nosniff');
  return headers;
}

function refusal(status: number, message: string): Response {
  const error = { code: status === 404 ? 'NOT_FOUND' : 'UNAVAILABLE', message, data: {} };
  return Response.json(error, { status, headers: pageHeaders });
}

/** In place of the workbench's page, where not even that can be had: it says why and asks again by itself. */
function waitingPage(message: string): Response {
  const text = message.replaceAll(/[<>&"]/g, (character) => `&#${character.charCodeAt(0)};`);
  const style = 'html{color-scheme:light dark;font:15px system-ui,sans-serif}body{max-width:40rem;margin:20vh auto;padding:0 1rem;overflow-wrap:anywhere}';
  const page = `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="3"><title>Switchback</title><style>${style}</style><h1>Switchback</h1><p role="alert">${text}</p>`;
  return new Response(page, { status: 503, headers: { ...pageHeaders, 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' } });
}
