/**
 * Whether the core answers. Every request that leaves the renderer (calls, streams, pictures) reports here what came of it, so that one
 * banner can say it and one probe can find out when the core is back. Knows no store: the connection store listens.
 */

/** `answered`: the core replied, whatever it said. `silent`: nothing replied, or a proxy did in its place. `refused`: the session's token is not accepted. */
export type Contact = 'answered' | 'silent' | 'refused';

type Listener = (contact: Contact) => void;
const listeners = new Set<Listener>();

/** Calls `listener` after every request; returns the function that stops it. */
export function onContact(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** `fetch` that reports its contact. Rejects as fetch does; an abort by the caller says nothing about the core. */
export async function contactingFetch(input: Request | string, init?: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(input, init);
  } catch (thrown) {
    if (!(thrown instanceof DOMException && thrown.name === 'AbortError')) report('silent');
    throw thrown;
  }
  report(contactOf(response.status));
  return response;
}

/** What a status says about the core: 502 to 504 come from a proxy whose core is gone. */
export function contactOf(status: number): Contact {
  if (status === 401 || status === 403) return 'refused';
  return status >= 502 && status <= 504 ? 'silent' : 'answered';
}

function report(contact: Contact): void {
  for (const listener of listeners) listener(contact);
}
