/** The built interface: every file is read into a list once, so that an address can only ever name one of them. */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { pageHeaders } from '../../src-shared/contract/pagePolicy.ts';

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
};

export interface StaticFiles {
  /** The file of an address, or index.html for an address of the interface's own router; undefined for a missing asset. */
  serve(pathname: string): Promise<Response | undefined>;
}

export async function openStaticFiles(folder: string): Promise<StaticFiles> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = new Map<string, string>(
    entries.filter((entry) => entry.isFile()).map((entry) => {
      const file = join(entry.parentPath, entry.name);
      return [`/${relative(folder, file).split(sep).join('/')}`, file] as const;
    }),
  );
  return {
    async serve(pathname) {
      const isAsset = extname(pathname) !== '';
      const file = files.get(pathname) ?? (isAsset ? undefined : files.get('/index.html'));
      if (!file) return undefined;
      const isPage = file.endsWith('.html');
      return new Response(new Uint8Array(await readFile(file)), {
        headers: {
          'content-type': types[extname(file)] ?? 'application/octet-stream',
          // Built assets carry a hash in their name; the page itself must be asked for again.
          'cache-control': isPage ? 'no-cache' : 'public, max-age=31536000, immutable',
          ...(isPage ? pageHeaders : {}),
        },
      });
    },
  };
}
