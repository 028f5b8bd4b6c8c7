/**
 * Who may talk to the core: only someone who holds the token, on the address that we bound, from a page that we served. The Host check stops DNS
 * rebinding, the Origin and Sec-Fetch-Site checks stop other pages in the same browser; a browser gets the token once in its address and keeps it as a cookie.
 */
import { timingSafeEqual } from 'node:crypto';

/** Browsers share cookies between the ports of a host, so that each port has a name of its own. */
export function cookieNameFor(port: number): string {
  return `switchback-${port}`;
}

export type Access = { readonly kind: 'allowed'; readonly setCookie?: string } | { readonly kind: 'refused'; readonly status: 401 | 403 | 421; readonly reason: string };

export interface AccessRules {
  readonly token: string;
  /** `host:port` values that a Host header may carry, in small letters. */
  readonly hosts: readonly string[];
  readonly cookieName: string;
}

/** Decides on one request. The desktop shell sends the token as a bearer; it alone may come with a foreign Origin (app://workbench). */
export function checkAccess(request: Request, { token, hosts, cookieName }: AccessRules): Access {
  const host = (request.headers.get('host') ?? '').toLowerCase();
  if (!hosts.includes(host)) return { kind: 'refused', status: 421, reason: `This server does not answer for the host ${JSON.stringify(host.slice(0, 100))}.` };
  if (equal(request.headers.get('authorization') ?? '', `Bearer ${token}`)) return { kind: 'allowed' };
  const origin = request.headers.get('origin');
  if ((origin !== null && !hosts.some((allowed) => origin === `http://${allowed}`)) || isFromAnotherSite(request)) {
    return { kind: 'refused', status: 403, reason: 'Requests from other pages are refused.' };
  }
  if (equal(cookie(request, cookieName), token)) return { kind: 'allowed' };
  const given = new URL(request.url).searchParams.get('token') ?? '';
  if (request.method === 'GET' && equal(given, token)) {
    return { kind: 'allowed', setCookie: `${cookieName}=${token}; Path=/; HttpOnly; SameSite=Strict` };
  }
  return { kind: 'refused', status: 401, reason: 'Open the address that Switchback printed when it started: it carries the key to this workbench.' };
}

/**
 * Other ports of this host count as the same site for cookies, so that a page of another local server would send ours along, and a plain GET of a picture
 * carries no Origin. Browsers say so in Sec-Fetch-Site, which no page can forge; following a link is the one thing that other pages may do.
 */
function isFromAnotherSite(request: Request): boolean {
  const site = request.headers.get('sec-fetch-site');
  const isNavigation = request.method === 'GET' && request.headers.get('sec-fetch-mode') === 'navigate' && request.headers.get('sec-fetch-dest') === 'document';
  return (site === 'cross-site' || site === 'same-site') && !isNavigation;
}

function cookie(request: Request, name: string): string {
  for (const part of (request.headers.get('cookie') ?? '').split(';')) {
    const [key, value] = part.trim().split('=');
    if (key === name) return value ?? '';
  }
  return '';
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
