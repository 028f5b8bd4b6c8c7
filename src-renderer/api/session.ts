/**
 * The first address of a browser session carries `?token=…`; the core answers it with a cookie. The token is then taken out of the
 * address bar, so that it is in no bookmark, no copied link and no screenshot.
 */

/** The same address without its token; unchanged where it has none. */
export function withoutToken(address: string): string {
  const url = new URL(address);
  url.searchParams.delete('token');
  return url.href;
}

/** Takes the token out of the address bar without loading anything. */
export function dropToken(): void {
  const clean = withoutToken(location.href);
  if (clean !== location.href) history.replaceState(history.state, '', clean);
}
