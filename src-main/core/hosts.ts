/** Where the core listens and by which names it may be called there. */
import { hostname, networkInterfaces } from 'node:os';

export const loopback = '127.0.0.1';

/** True where only programs of this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * `host:port` values that a Host header may carry for a server bound to `host`. Bound to all addresses (0.0.0.0, ::) it answers to each of them and
 * to the machine's own name, still to no other: a name that somebody else's server points here is not ours.
 */
export function acceptedHosts(host: string, port: number): readonly string[] {
  const isEvery = host === '0.0.0.0' || host === '::';
  const own = isEvery ? [...Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []).map(({ address }) => address), hostname()] : [host];
  const names = [...new Set([...own, ...(isEvery || isLoopback(host) ? [loopback, 'localhost'] : [])])];
  return names.map((name) => `${bracketed(name)}:${port}`.toLowerCase());
}

/** The name as an address has it: IPv6 in brackets, without its zone. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host.split('%')[0]}]` : host;
}
