/** The text of "Copy Diagnostics" as the shell knows it, which works while the core does not; without the name of the person's home folder. */

export interface ShellFacts {
  readonly version: string;
  readonly versions: Readonly<Record<string, string | undefined>>;
  readonly platform: string;
  readonly isPackaged: boolean;
  readonly gpu: string;
  readonly home: string;
  /** What each window's core is doing. */
  readonly cores: readonly string[];
  /** What the core itself says; empty where it does not answer. */
  readonly ofCore: string;
  readonly log: readonly string[];
}

export function diagnosticsText({ version, versions, platform, isPackaged, gpu, home, cores, ofCore, log }: ShellFacts): string {
  const lines = [
    `Switchback ${version}${isPackaged ? '' : ' (from its sources)'}, Electron ${versions['electron'] ?? 'unknown'}, Chromium ${versions['chrome'] ?? 'unknown'}, ${platform}`,
    `graphics: ${gpu}`,
    ...cores.map((state, number) => `window ${number + 1}: core ${state}`),
    '',
    ofCore === '' ? 'The core does not answer.' : ofCore,
    '',
    'log of the shell:',
    ...log,
  ];
  const text = lines.join('\n');
  return home.length < 3 ? text : [home, home.replaceAll('\\', '/'), home.replaceAll('\\', '\\\\')].reduce((cleaned, spelling) => cleaned.replaceAll(spelling, '~'), text);
}
